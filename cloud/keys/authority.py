"""The service's own certificate authority: a folder of keys and certificates, and the boards that it let in.

The commands that an owner types and the service share the folder; each write is whole, and what the service needs to
know of others' writes it sees from the files.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from cloud.keys import certificates
from cloud.keys.boards import Board, Boards
from cloud.keys.certificates import Pair
from cloud.keys.enrolment_codes import EnrolmentCodes
from common.errors import IdentityError
from common.private_files import stamp, write_private
from protos.enrolment_code import SERVICE_TLS_NAME, EnrolmentCode

DAY_US = 86_400_000_000
AUTHORITY_DAYS = 30 * 365
"""A lost or stolen authority is replaced by hand; nobody wants a date for it."""
SERVICE_DAYS = 90
BOARD_DAYS = 365
"""A board that lay in a drawer for a season still gets in. Revoking does not wait for this: it is looked up at each
call."""
RENEWED_AT = 2 / 3
"""Share of its life after which a certificate is renewed."""

FILES = ("authority", "service", "enrolment")

Clock = Callable[[], int]
"""Microseconds since 1970, as far as this machine knows."""


WRITTEN_US = 1_767_225_600_000_000
"""The beginning of 2026. A clock that stands before this was written is wrong."""


def unix_us() -> int:
    """What time it is. Certificates made before the clock was set would be over when it is."""
    return max(time.time_ns() // 1000, WRITTEN_US)


class Issued(NamedTuple):
    """A board's certificate."""

    device_id: str
    certificate: bytes
    """PEM."""
    board: Board


class NameTaken(IdentityError):
    """Raised when a board gives itself the name of another."""


class CodeRefused(IdentityError):
    """Raised when a code is not good; does not say why, and nobody else does."""


class Authority:
    """All of it. Had from cloud/keys/pki_folder.py, where there is one."""

    def __init__(self, directory: Path, clock: Clock = unix_us) -> None:
        self.directory = directory
        self.boards = Boards(directory / "boards.json")
        self.codes = EnrolmentCodes(directory / "codes.json")
        self._clock = clock
        self._trusted: bytes | None = None
        self._trusted_stamp: tuple[int, int] | None = None

    def pair(self, name: str) -> Pair:
        """The key and certificate of one of FILES. IdentityError, a sentence, if they cannot be used."""
        file = self.directory / f"{name}.pem"
        try:
            return certificates.pair_in(file.read_bytes(), str(file))
        except OSError as error:
            raise IdentityError(f"{file} cannot be read: {error.strerror}.") from error

    def keep(self, name: str, pair: Pair) -> None:
        """Puts a key and its certificate in the place of what was there; one file, so that they always fit."""
        write_private(self.directory / f"{name}.pem", pair.key + pair.certificate)

    def trusted(self) -> bytes:
        """The authority's own certificate, PEM; the file is opened only when it is another one. IdentityError."""
        now = stamp(self.directory / "authority.pem")
        if self._trusted is None or now != self._trusted_stamp:
            self._trusted, self._trusted_stamp = self.pair("authority").certificate, now
        return self._trusted

    def renew_service(self, names: Sequence[str], *, now: bool = False) -> bool:
        """Makes the service a new certificate where the one there is not young enough, or not for these names; whether
        it did."""
        wanted = (SERVICE_TLS_NAME, *dict.fromkeys(names))
        now_us = self._clock()
        if not now and (self.directory / "service.pem").exists():
            known = certificates.facts(self.pair("service").certificate)
            if set(wanted) <= known.alternative_names and now_us < due_us(
                known.issued_at_unix_us, known.expires_at_unix_us
            ):
                return False
        pair = certificates.new_server(self.pair("authority"), wanted, now_us, now_us + SERVICE_DAYS * DAY_US)
        self.keep("service", pair)
        return True

    def open_code(self, life_us: int, device_id: str = "") -> EnrolmentCode:
        """A code for one board, which the owner may have named."""
        certificate = certificates.as_der(self.pair("enrolment").certificate)
        return self.codes.open(certificate, self._clock(), life_us, device_id)

    def enrol(self, secret: str, request: bytes, device_id: str) -> Issued:
        """The certificate of a board that has a code. CodeRefused, NameTaken; ValueError if the request is none."""
        key = certificates.requested_key(request)
        used = self.codes.use(secret, key, device_id, self._clock())
        if used is None:
            raise CodeRefused("The code is not good: mistyped, used, expired, or guessed at. Ask for a new one.")
        # A board whose code was used up before its name was written down is new, not known.
        if used.again and used.device_id in self.boards.all():
            return self._issue(key, used.device_id, self.boards.renew(used.device_id, None, self._clock(), _LIFE_US))
        board = self.boards.add(used.device_id, self._clock(), _LIFE_US, replace=used.named_by_owner)
        if board is None:
            self.codes.give_back(key)
            raise NameTaken(
                f"Another board is called {used.device_id}. To put this one in its place, make a code with: "
                f"parrotlet-cloud pki enrol --device {used.device_id}"
            )
        return self._issue(key, used.device_id, board)

    def renew(self, device_id: str, issued_at_us: int, request: bytes) -> Issued:
        """A newer certificate for the one issued then. ShutOut if the board is let in no longer; ValueError."""
        key = certificates.requested_key(request)
        return self._issue(key, device_id, self.boards.renew(device_id, issued_at_us, self._clock(), _LIFE_US))

    def revoke(self, device_id: str) -> None:
        """From now on the board is not let in. IdentityError if there is none of that name."""
        self.boards.revoke(device_id, self._clock())

    def codes_are_open(self) -> bool:
        """Whether any board could enrol now."""
        return self.codes.any_open(self._clock())

    def _issue(self, key: bytes, device_id: str, board: Board) -> Issued:
        times = board.renewed_at_unix_us, board.expires_at_unix_us
        return Issued(device_id, certificates.new_board(self.pair("authority"), device_id, key, *times), board)


_LIFE_US = BOARD_DAYS * DAY_US


def due_us(issued_at_us: int, expires_at_us: int) -> int:
    """When a certificate is to be renewed."""
    return issued_at_us + round(RENEWED_AT * (expires_at_us - issued_at_us))
