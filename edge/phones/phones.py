"""Phones that are paired, and invitations to become one: a file that the daemon and its owner's commands share.

It tells nobody how to be taken for a phone: of each cookie's secret, token and code there is a hash.
"""

import base64
import hashlib
import hmac
import logging
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from common.errors import IdentityError
from common.plain_text import plain
from common.private_files import private_directory
from common.record import Record

logger = logging.getLogger(__name__)

SECRET_BYTES = 32
NAME_CHARACTERS_MAX = 40
DAY_US = 86_400_000_000


class Phone(msgspec.Struct):
    """One that is paired."""

    id: str
    name: str
    paired_at_unix_us: int
    last_seen_unix_us: int
    """To a day: it is written once a day at most, for the card's sake."""
    secret_hash: str


class Invitation(msgspec.Struct):
    """To pair one phone, by a token or by a code; see invitations.py."""

    id: str
    salt: str
    token_hash: str
    code_hash: str
    boot_id: str
    made_at_s: float
    """Monotonic, of that run of the machine: a wall clock may jump."""
    expires_at_s: float
    used_by: str = ""
    """Id of the phone that it paired."""


class Paired(msgspec.Struct):
    """What the file holds."""

    phones: list[Phone] = []
    invitations: list[Invitation] = []
    boot_id: str = ""
    """The run of the machine as who serves the page sees it: a container's own id does not reach a unit with a /proc of
    its own."""


class Admitted(NamedTuple):
    """A phone that was paired just now."""

    phone: Phone
    cookie: str
    """What it has to show from now on; nobody keeps it here."""

    def __repr__(self) -> str:
        """Without the cookie: it might be logged."""
        return f"Admitted({self.phone.id})"


class Phones:
    """Those of one board. Every method may raise IdentityError where the file cannot be read or written."""

    def __init__(self, directory: Path, unix_us: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        """directory: the page's own, in the board's state directory; made if need be."""
        self._unix_us = unix_us
        file = directory / "phones.json"
        try:
            private_directory(directory)
        except OSError as error:
            raise IdentityError(f"{directory} cannot be made or kept private: {error.strerror}.") from error
        self.record = Record(file, Paired)
        self._ailing = ""

    def all(self) -> list[Phone]:
        """The first one that was paired first; not to be changed."""
        return self.record.read().phones

    def by_cookie(self, cookie: str) -> Phone | None:
        """Whose cookie that is; None: nobody's. Takes as long for one as for the other."""
        id_, _, secret = cookie.partition(".")
        phone = next((phone for phone in self.all() if phone.id == id_), None)
        fits = hmac.compare_digest(phone.secret_hash if phone else _hash(""), _hash(secret))
        return phone if phone is not None and fits else None

    def is_known(self, id_: str) -> bool:
        """Whether this phone is paired still; cheap: a stream may ask every second. False, and a line in the log, where
        the file cannot be read: who cannot be looked up is a stranger."""
        try:
            known = any(phone.id == id_ for phone in self.all())
            self._ailing = ""
            return known
        except IdentityError as error:
            self.tell(error)
            return False

    def tell(self, error: IdentityError) -> None:
        """Why no phone is let in, in the log; once, however often it is asked."""
        if self._ailing != str(error):
            logger.error("no phone is let in: %s", error)
        self._ailing = str(error)

    def revoke(self, ids: list[str]) -> None:
        """These phones are strangers from now on; open streams end within a second."""
        with self.record.change() as paired:
            paired.phones = [phone for phone in paired.phones if phone.id not in ids]

    def is_seen_today(self, phone: Phone) -> bool:
        """Whether `seen` has nothing to write."""
        return phone.last_seen_unix_us // DAY_US >= self._unix_us() // DAY_US

    def seen(self, id_: str) -> None:
        """The phone is here today. It takes as long as the disk."""
        with self.record.change() as paired:
            for phone in paired.phones:
                if phone.id == id_:
                    phone.last_seen_unix_us = max(phone.last_seen_unix_us, self._unix_us())

    def found(self, text: str) -> list[Phone]:
        """Those that are called so, or have that id."""
        return [phone for phone in self.all() if text == phone.id or text.casefold() == phone.name.casefold()]

    def new(self, name: str, others: list[Phone]) -> Admitted:
        """A phone beside those others, under a name that none of them has; not written yet."""
        taken = {phone.name.casefold() for phone in others} | {phone.id for phone in others}
        id_ = next(id_ for id_ in iter(lambda: secrets.token_hex(4), "") if id_ not in taken)
        secret = base64.urlsafe_b64encode(secrets.token_bytes(SECRET_BYTES)).decode().rstrip("=")
        now_us = self._unix_us()
        return Admitted(Phone(id_, _free_name(name, taken), now_us, now_us, _hash(secret)), f"{id_}.{secret}")


def shown_name(text: str) -> str:
    """A name as it may be shown and typed: one line, not too long; empty if nothing is left of it."""
    return " ".join(plain(text).split())[:NAME_CHARACTERS_MAX].strip()


def _free_name(name: str, taken: set[str]) -> str:
    """The name, with a number behind it where another has it."""
    wanted = shown_name(name) or "Phone"
    numbered = (wanted if number == 1 else f"{wanted} {number}" for number in range(1, len(taken) + 2))
    return next(each for each in numbered if each.casefold() not in taken)


def _hash(secret: str) -> str:
    # 256 bits of chance need no slow hash.
    return hashlib.sha256(b"parrotlet cookie " + secret.encode(errors="replace")).hexdigest()
