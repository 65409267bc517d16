"""The cookie by which a paired phone is known."""

COOKIE_S = 400 * 86_400
"""As long as a browser keeps any; given anew whenever the phone opens the page."""


def cookie_name(tls: bool) -> str:
    """A browser takes __Host- only over TLS, and then from nobody but this very host."""
    return "__Host-parrotlet" if tls else "parrotlet"


def set_cookie(value: str, *, tls: bool, age_s: int = COOKIE_S) -> str:
    """What `Set-Cookie` says; an age of 0 takes it away."""
    secure = "; Secure" if tls else ""
    return f"{cookie_name(tls)}={value}; Path=/; Max-Age={age_s}; HttpOnly; SameSite=Strict{secure}"
