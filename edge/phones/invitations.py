"""Invitations to pair a phone: a token for a QR code and a code to type, good for ten minutes and for one phone.

`parrotlet-edge pair` writes one into the file that the daemon reads: who may write there owns the board.
"""

import base64
import hmac
import logging
import secrets
import time
from collections.abc import Callable
from typing import NamedTuple

from common.errors import IdentityError
from edge.clock import boot_id
from edge.phones.phones import Admitted, Invitation, Paired, Phone, Phones

logger = logging.getLogger(__name__)

GOOD_S = 600.0
REMEMBERED_S = 86_400.0
"""How long a used one is known, so that its second use is told."""
OPEN_MAX = 10
"""At a time; of more, the oldest go."""
TOKEN_BYTES = 16
CODE_CHARACTERS = 8
"""40 bits, for ten minutes and few guesses."""

# Crockford's base 32: none is taken for another.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": ""})


class Invited(NamedTuple):
    """An invitation as it is shown, once."""

    id: str
    token: str
    code: str

    def __repr__(self) -> str:
        """Nothing of it: it might be logged."""
        return f"Invited({self.id})"


class NotInvited(IdentityError):
    """Raised when a token or a code is none that is good now."""


class Invitations:
    """Those of one board. Every method may raise IdentityError."""

    def __init__(
        self,
        phones: Phones,
        phones_max: int,
        monotonic_s: Callable[[], float] = time.monotonic,
        boot: Callable[[], str] = boot_id,
    ) -> None:
        self._phones, self._phones_max = phones, phones_max
        self._monotonic_s, self._boot = monotonic_s, boot
        self._told: set[str] = set()
        """Invitations whose second use was told."""

    def serve(self) -> None:
        """Says, once, in which run of the machine invitations are accepted here."""
        with self._phones.record.change() as paired:
            paired.boot_id = self._boot()

    def invite(self) -> Invited:
        """A new one; it lives until it is used, withdrawn or over."""
        token = base64.urlsafe_b64encode(secrets.token_bytes(TOKEN_BYTES)).decode().rstrip("=")
        text = "".join(secrets.choice(_ALPHABET) for _ in range(CODE_CHARACTERS))
        salt, now_s = secrets.token_hex(16), self._monotonic_s()
        with self._phones.record.change() as paired:
            self._check_room(paired.phones)
            run = paired.boot_id or self._boot()
            made = Invitation(
                secrets.token_hex(4),
                salt,
                _hash(salt, token),
                _hash(salt, text),
                run,
                made_at_s=now_s,
                expires_at_s=now_s + GOOD_S,
            )
            paired.invitations = [*self._remembered(paired, run), made][-OPEN_MAX:]
        return Invited(made.id, token, f"{text[:4]}-{text[4:]}")

    def withdraw(self, id_: str) -> None:
        """Nobody can use it any more."""
        with self._phones.record.change() as paired:
            paired.invitations = [each for each in paired.invitations if each.id != id_ or each.used_by]

    def outcome(self, id_: str) -> Phone | None:
        """The phone that it paired; None: none yet."""
        paired = self._phones.record.read()
        by = next((each.used_by for each in paired.invitations if each.id == id_), "")
        return next((phone for phone in paired.phones if by and phone.id == by), None)

    def accept(self, token_or_code: str, name: str, *, peer: str, instead_of: str = "") -> Admitted:
        """Pairs who brings a token or a code, in place of the phone `instead_of` where that is the same one again.

        NotInvited if it is none that is good. It takes as long whatever was wrong; and as long as the disk."""
        with self._phones.record.change() as paired:
            fitting = [each for each in paired.invitations if _fits(each, token_or_code)]
            # Who serves knows which run it is, whatever the file says.
            run = self._boot()
            good = [each for each in fitting if not each.used_by and self._is_good(each, run)]
            if not good:
                self._tell_second_use(fitting, paired.phones, peer)
                raise NotInvited(
                    "That code is not good, or not any more: it works once, and for ten minutes. "
                    "On the board, parrotlet-edge pair makes a new one."
                )
            others = [phone for phone in paired.phones if phone.id != instead_of]
            self._check_room(others)
            admitted = self._phones.new(name, others)
            paired.phones = [*others, admitted.phone]
            paired.invitations = self._remembered(paired, run)
            for each in good:
                each.used_by = admitted.phone.id
        logger.info("paired the phone %s (%s), which came from %s", admitted.phone.name, admitted.phone.id, peer)
        return admitted

    def _is_good(self, each: Invitation, run: str) -> bool:
        # A clock of another run of the machine tells nothing.
        return each.boot_id == run and each.made_at_s <= self._monotonic_s() < each.expires_at_s

    def _remembered(self, paired: Paired, run: str) -> list[Invitation]:
        """Without those that nobody needs to know any more."""
        used_until_s = self._monotonic_s() - REMEMBERED_S
        return [
            each
            for each in paired.invitations
            if self._is_good(each, run) or (each.used_by and each.boot_id == run and each.made_at_s > used_until_s)
        ]

    def _tell_second_use(self, fitting: list[Invitation], phones: list[Phone], peer: str) -> None:
        """The owner may want to know: either was the thief."""
        for each in fitting:
            if not each.used_by or each.id in self._told:
                continue
            self._told.add(each.id)
            name = next((phone.name for phone in phones if phone.id == each.used_by), "a phone that was revoked")
            logger.warning(
                "a pairing code that %s (%s) had used came a second time, from %s, and was refused; if that phone is "
                "not yours: parrotlet-edge phones revoke %s",
                name,
                each.used_by,
                peer,
                each.used_by,
            )

    def _check_room(self, phones: list[Phone]) -> None:
        if len(phones) >= self._phones_max:
            raise IdentityError(
                f"The board has all the phones that page.phones_max allows ({self._phones_max}); "
                "parrotlet-edge phones list shows them, parrotlet-edge phones revoke takes one away."
            )


def _fits(each: Invitation, token_or_code: str) -> bool:
    """Every invitation is compared with both, so that the time tells nothing."""
    code = token_or_code.strip().upper().translate(_READ_AS)
    is_token = hmac.compare_digest(each.token_hash, _hash(each.salt, token_or_code))
    return hmac.compare_digest(each.code_hash, _hash(each.salt, code)) or is_token


def _hash(salt: str, text: str) -> str:
    return hmac.digest(bytes.fromhex(salt), text.encode(errors="replace"), "sha256").hex()
