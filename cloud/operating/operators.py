"""Which browsers may open the operator's page: one-time links, and the sessions that came of them, in one file.

`parrotlet-cloud operate` writes a link into the file that the service reads: who may write there owns the service. Of
what opens anything the file has hashes.
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
from common.record import Record

logger = logging.getLogger(__name__)

FILE_NAME = "operators.json"

LINK_S = 600
SESSION_S = 30 * 86_400
"""A browser signs in anew after that."""
LINKS_MAX = 10
"""At a time; of more, the oldest go."""
SESSIONS_MAX = 100
TOKEN_BYTES = 24
DAY_S = 86_400

Clock = Callable[[], float]
"""Seconds since 1970."""


class Link(msgspec.Struct):
    """Good once."""

    token_hash: str
    name: str
    """Who was given it; goes into the history of what is done with it."""
    expires_at_unix_s: float


class Session(msgspec.Struct):
    """A browser that signed in."""

    id: str
    token_hash: str
    name: str
    signed_in_at_unix_s: float
    seen_at_unix_s: float
    """To the day."""


class _Operators(msgspec.Struct):
    links: list[Link] = []
    sessions: list[Session] = []


class NotSignedIn(IdentityError):
    """Raised when a link is none that is good now."""


class SignedIn(NamedTuple):
    """A session as it is told to its browser, once."""

    session: Session
    token: str

    def __repr__(self) -> str:
        """Nothing of the token: it might be logged."""
        return f"SignedIn({self.session.id})"


class Operators:
    """Those of one service. Every method may raise IdentityError."""

    def __init__(self, file: Path, unix_s: Clock = time.time) -> None:
        self._record = Record(file, _Operators)
        self._unix_s = unix_s

    def invite(self, name: str) -> str:
        """A new link's token."""
        token, now_s = _token(), self._unix_s()
        with self._record.change() as content:
            good = [link for link in content.links if now_s < link.expires_at_unix_s]
            content.links = [*good, Link(_hash(token), name, now_s + LINK_S)][-LINKS_MAX:]
        return token

    def is_good(self, token: str) -> bool:
        """Whether a link can be used."""
        return any(self._fits(link, token) for link in self._record.read().links)

    def sign_in(self, token: str, *, peer: str) -> SignedIn:
        """Makes a session of a link, which is good no more. NotSignedIn."""
        mine, now_s = _token(), self._unix_s()
        with self._record.change() as content:
            fitting = [link for link in content.links if self._fits(link, token)]
            if not fitting:
                raise NotSignedIn(
                    "That link is not good, or not any more: it works once, and for ten minutes. On the service's "
                    "machine, parrotlet-cloud operate prints a new one."
                )
            session = Session(secrets.token_hex(4), _hash(mine), fitting[0].name, now_s, now_s)
            content.links = [link for link in content.links if link not in fitting]
            content.sessions = [*self._good(content.sessions), session][-SESSIONS_MAX:]
        logger.info("a browser signed in for %s (%s), from %s", session.name, session.id, peer)
        return SignedIn(session, mine)

    def by_token(self, token: str) -> Session | None:
        """The session that a cookie is of."""
        hashed = _hash(token)
        found = [each for each in self.all() if hmac.compare_digest(each.token_hash, hashed)]
        return found[0] if found else None

    def all(self) -> list[Session]:
        """Those that are good."""
        return self._good(self._record.read().sessions)

    def is_seen_today(self, session: Session) -> bool:
        """Whether that it was here is noted already."""
        return self._unix_s() - session.seen_at_unix_s < DAY_S

    def seen(self, session: Session) -> None:
        """Notes that it was here."""
        now_s = self._unix_s()
        with self._record.change() as content:
            for each in content.sessions:
                if each.id == session.id:
                    each.seen_at_unix_s = now_s

    def revoke(self, id_: str) -> Session:
        """It gets in no more. IdentityError, a sentence, if there is none of that id."""
        with self._record.change() as content:
            found = [each for each in content.sessions if each.id == id_]
            if not found:
                known = ", ".join(each.id for each in content.sessions) or "none"
                raise IdentityError(f"No browser is signed in as {id_}; there are: {known}.")
            content.sessions = [each for each in content.sessions if each.id != id_]
        logger.info("the browser of %s (%s) is signed out", found[0].name, id_)
        return found[0]

    def revoke_all(self) -> int:
        """Nobody gets in any more, links included; how many browsers that were."""
        with self._record.change() as content:
            count = len(content.sessions)
            content.sessions, content.links = [], []
        return count

    def _fits(self, link: Link, token: str) -> bool:
        return hmac.compare_digest(link.token_hash, _hash(token)) and self._unix_s() < link.expires_at_unix_s

    def _good(self, sessions: list[Session]) -> list[Session]:
        since_s = self._unix_s() - SESSION_S
        return [each for each in sessions if each.signed_in_at_unix_s > since_s]


def _token() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(TOKEN_BYTES)).decode()


def _hash(token: str) -> str:
    # A token has 192 bits by chance: salt and stretching would add nothing.
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
