"""Who types a command: what is done is kept with who did it."""

import getpass
import os


def typist() -> str:
    """The user's name, through sudo as well; "somebody" where the system has none for them, as in some containers."""
    if by_sudo := os.environ.get("SUDO_USER"):
        return by_sudo
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"
