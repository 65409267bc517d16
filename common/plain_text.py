"""Text of others, safe to show: words come from a service, names of files from anybody."""


def plain(text: str) -> str:
    """Without what a terminal would obey."""
    return "".join(char if char.isprintable() else " " for char in text)
