"""Phones that are paired with a board from beside it, as `parrotlet-edge pair` does it: by the file that both know."""

from pathlib import Path
from typing import NamedTuple

from edge.phones.cookie import cookie_name
from edge.phones.invitations import Invitations
from edge.phones.phones import Phones
from edge.phones.shown_certificate import page_directory

PHONES_MAX = 1000


class Cookie(NamedTuple):
    """Whoever has it is that phone."""

    phone: str
    """Its id."""
    name: str
    value: str


def pair(state_dir: Path, count: int = 1, *, tls: bool) -> list[Cookie]:
    """So many of them with the board whose things are in state_dir."""
    invitations = Invitations(Phones(page_directory(state_dir)), PHONES_MAX)
    admitted = [
        invitations.accept(invitations.invite().token, f"phone {number}", peer="here") for number in range(count)
    ]
    return [Cookie(one.phone.id, cookie_name(tls), one.cookie) for one in admitted]
