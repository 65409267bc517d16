"""Numbers and days as people read them. Pure."""

from datetime import date

NBSP, MINUS = "\N{NO-BREAK SPACE}", "\N{MINUS SIGN}"


def number(value: float, digits: int = 0) -> str:
    """Rounded, with a minus and not a hyphen."""
    return minus(f"{value:.{digits}f}")


def minus(text: str) -> str:
    """A number's text, the same way."""
    return text.replace("-", MINUS)


def day(of: date) -> str:
    """Such as 24 Nov."""
    return f"{of.day}{NBSP}{of:%b}"
