"""The code that a person carries from a service to a board, once, so that each knows the other.

28 characters of Crockford's base 32 in groups of four, such as 7K2M-…: 16 of a pin, 11 of a secret, 1 that finds
mistypings. The secret tells the service that the board was sent by its owner. The pin tells the board that it talks to
that service: it is a hash of the certificate which the enrolment port shows, keyed by the secret, so that a certificate
which fits can neither be made in advance nor by anybody who does not know the code.
"""

import hashlib
import hmac
import re
import secrets
from typing import NamedTuple

SERVICE_TLS_NAME = "service.parrotlet.internal"
"""Subject alternative name of every service's certificate: its authority issues for nobody else, so that its address
may change."""
ENROLMENT_TLS_NAME = "enrolment.parrotlet.internal"
MDNS_TYPE = "_parrotlet._tcp.local."
"""How services are announced; TXT has the port of enrolment as `enrol`."""

PIN_CHARACTERS = 16
"""80 bits."""
SECRET_CHARACTERS = 11
"""55 bits; the first character tells which code is meant, the rest proves it."""
SELECTOR_CHARACTERS = 1

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_GROUP = 4
_CHARACTERS = PIN_CHARACTERS + SECRET_CHARACTERS + 1
# What people write for what they read.
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": ""})


class EnrolmentCode(NamedTuple):
    """What a code says."""

    pin: str
    secret: str

    def __str__(self) -> str:
        text = self.pin + self.secret
        text += _check_character(text)
        return "-".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))

    def __repr__(self) -> str:
        """Nothing: it might be logged."""
        return "EnrolmentCode(…)"

    def fits(self, certificate: bytes) -> bool:
        """Whether the code was made by the service that shows this certificate (X.509 in DER)."""
        return hmac.compare_digest(self.pin, _pin(certificate, self.secret))


def new_code(certificate: bytes) -> EnrolmentCode:
    """A code for the enrolment port that shows this certificate (X.509 in DER)."""
    secret = "".join(secrets.choice(_ALPHABET) for _ in range(SECRET_CHARACTERS))
    return EnrolmentCode(_pin(certificate, secret), secret)


def looks_like_a_code(text: str) -> bool:
    """Whether it is one, or one that was mistyped, and not something else such as the name of a machine."""
    return re.fullmatch(f"[{_ALPHABET}]{{{_CHARACTERS}}}", _plain(text)) is not None


def parse_code(text: str) -> EnrolmentCode:
    """ValueError, a sentence that does not repeat it, if that is no code."""
    plain = _plain(text)
    if not looks_like_a_code(plain):
        raise ValueError(f"That is no code: it has {_CHARACTERS} letters and digits, in groups of {_GROUP}.")
    if _check_character(plain[:-1]) != plain[-1]:
        raise ValueError("That code is mistyped: its last character does not fit the others.")
    return EnrolmentCode(plain[:PIN_CHARACTERS], plain[PIN_CHARACTERS:-1])


def _plain(text: str) -> str:
    return text.strip().upper().translate(_READ_AS)


def _pin(certificate: bytes, secret: str) -> str:
    return _base32(hmac.digest(secret.encode(), certificate, "sha256"), PIN_CHARACTERS)


def _check_character(text: str) -> str:
    return _base32(hashlib.sha256(text.encode()).digest(), 1)


def _base32(digest: bytes, characters: int) -> str:
    number = int.from_bytes(digest) >> (8 * len(digest) - 5 * characters)
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(characters)))
