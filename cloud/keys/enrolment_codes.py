"""Codes by which boards may enrol: each good for one board, for minutes, and for few guesses.

The file tells nobody a code: it holds a salted scrypt hash of the secret, and nothing of the pin.
"""

import hashlib
import hmac
import os
from pathlib import Path
from typing import NamedTuple

import msgspec

from common.record import Record
from protos.enrolment_code import SELECTOR_CHARACTERS, EnrolmentCode, new_code

GUESSES_MAX = 5
"""Wrong secrets after which a code is dead. A guess that does not even name a code kills none."""
CODES_MAX = 100
"""Open at a time; of more, the oldest go."""

AGAIN_US = 60_000_000
"""How long a board may ask again with a code that it has used."""
CLOCK_STEP_US_MAX = 60_000_000
"""A clock that steps back by no more is forgiven."""

_SCRYPT = {"n": 2**14, "r": 8, "p": 1}  # 16 MiB and 50 ms a guess.


class Code(msgspec.Struct):
    """An open or used code."""

    selector: str
    salt: str
    hash: str
    opened_at_unix_us: int
    expires_at_unix_us: int
    device_id: str = ""
    """The name that the board gets; empty: the one it gives itself."""
    guesses: int = 0
    used_for: str = ""
    """Hash of the key that it was used for: the same board may ask again, where the answer was lost."""
    used_as: str = ""
    """The name that the board got."""


class Use(NamedTuple):
    """What a code was good for."""

    device_id: str
    named_by_owner: bool
    """The owner said that this board shall have that name, whoever had it before."""
    again: bool
    """The same board was given a certificate for this code before."""


class _Codes(msgspec.Struct):
    codes: list[Code] = []


class EnrolmentCodes:
    """The codes, in one file."""

    def __init__(self, file: Path) -> None:
        self._record = Record(file, _Codes)

    def open(self, certificate: bytes, now_us: int, life_us: int, device_id: str = "") -> EnrolmentCode:
        """A new code for the enrolment port that shows this certificate (DER). Nobody can get it a second time."""
        code = new_code(certificate)
        salt, until_us = os.urandom(16), now_us + life_us
        kept = Code(
            code.secret[:SELECTOR_CHARACTERS], salt.hex(), _hash(code.secret, salt), now_us, until_us, device_id
        )
        with self._record.change() as content:
            content.codes = [each for each in content.codes if each.expires_at_unix_us > now_us][-CODES_MAX + 1 :]
            content.codes.append(kept)
        return code

    def any_open(self, now_us: int) -> bool:
        """Whether a board could enrol now, or ask again."""
        return any(_good(code, now_us) for code in self._record.read().codes)

    def use(self, secret: str, key: bytes, device_id: str, now_us: int) -> Use | None:
        """Uses a code up for a board with this public key, which calls itself so; None if the code is not good. Takes
        50 ms for each code that may be meant."""
        used_for = hashlib.sha256(key).hexdigest()
        with self._record.change() as content:
            meant = [code for code in content.codes if _may_be(code, secret, used_for, now_us)]
            for code in meant:
                if hmac.compare_digest(code.hash, _hash(secret, bytes.fromhex(code.salt))):
                    again = code.used_for != ""
                    if not again:
                        code.used_for, code.used_as = used_for, code.device_id or device_id
                        code.expires_at_unix_us = min(code.expires_at_unix_us, now_us + AGAIN_US)
                        if code.device_id:
                            _end_those_before(content.codes, code, now_us)
                    return Use(code.used_as, named_by_owner=code.device_id != "", again=again)
            for code in meant:
                code.guesses += 1
        return None

    def give_back(self, key: bytes) -> None:
        """The board with this key got no certificate for its code, which is as good as before."""
        used_for = hashlib.sha256(key).hexdigest()
        with self._record.change() as content:
            for code in content.codes:
                if code.used_for == used_for:
                    code.used_for = code.used_as = ""


def _end_those_before(codes: list[Code], used: Code, now_us: int) -> None:
    """Whoever had the name before is replaced, and may not ask for a newer certificate by the code it once used."""
    for code in codes:
        if code is not used and code.used_as == used.used_as:
            code.expires_at_unix_us = now_us


def _may_be(code: Code, secret: str, used_for: str, now_us: int) -> bool:
    """Whether that could be the secret of this code, for a board whose key has this hash."""
    named = code.selector == secret[:SELECTOR_CHARACTERS]
    return named and code.used_for in ("", used_for) and _good(code, now_us)


def _good(code: Code, now_us: int) -> bool:
    # A clock that was put back opens no old code.
    in_time = code.opened_at_unix_us <= now_us + CLOCK_STEP_US_MAX and now_us < code.expires_at_unix_us
    return code.guesses < GUESSES_MAX and in_time


def _hash(secret: str, salt: bytes) -> str:
    return hashlib.scrypt(secret.encode(), salt=salt, dklen=32, **_SCRYPT).hex()
