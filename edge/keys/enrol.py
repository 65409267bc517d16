"""How a board gets its certificate from a service, once by a code and then again and again by the certificate."""

import time
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from common.addresses import Address, parse_address
from common.errors import IdentityError, SettingsError
from edge.keys import signing_request
from edge.keys.enrol_channel import ask_enrol, ask_renew, is_at, shown_certificate
from edge.keys.identity import Identity
from protos import enrolment_pb2
from protos.enrolment_code import EnrolmentCode, parse_code

ENROL_PORT = 7408
"""Where services take enrolments if their owners did not say otherwise."""


TRIES_MAX = 3
PAUSE_S = 0.5
"""A service opens its port for a code within half a second."""


class Enrolled(NamedTuple):
    """What `parrotlet-edge enrol` tells."""

    identity: Identity
    renamed: bool
    """The code's owner gave the board another name than it has itself."""


def read_code(text: str) -> EnrolmentCode:
    """IdentityError, a sentence, if that is no code."""
    try:
        return parse_code(text)
    except ValueError as error:
        raise IdentityError(str(error)) from None


def enrol_address(text: str) -> Address:
    """HOST or HOST:PORT, a port of enrolment. SettingsError."""
    with_port = ":" in text.rpartition("]")[2]
    return parse_address(text if with_port else f"{text}:{ENROL_PORT}", called="HOST", port_min=1)


def enrol(address: Address, code: EnrolmentCode, device_id: str) -> Enrolled:
    """Enrols with the service at this port of enrolment. IdentityError, a sentence."""
    shown = _shown(address)
    if not code.fits(shown):
        raise IdentityError(
            f"{address}: what answers there did not make this code; it was told nothing. Was the code made on that "
            "machine, and is it the newest?"
        )
    made = signing_request.new_request(device_id)
    answered = ask_enrol(address, shown, code, made.request, device_id)
    service_address = str(Address(address.host, answered.service_port))
    identity = _identity(service_address, made.key, answered.certificate)
    return Enrolled(identity, renamed=identity.device_id != device_id)


def _shown(address: Address) -> bytes:
    """As `shown_certificate`; a port that opens just now is waited for."""
    for tries_left in reversed(range(TRIES_MAX)):
        try:
            return shown_certificate(address)
        except IdentityError:
            if not tries_left:
                raise
            time.sleep(PAUSE_S)
    raise AssertionError("unreachable: the last try returns or raises")


def enrol_with_any(addresses: Iterable[Address], code: EnrolmentCode, device_id: str) -> Enrolled:
    """Enrols with whichever of them made the code. IdentityError if none did."""
    for address in addresses:
        try:
            made_it = code.fits(shown_certificate(address))
        except IdentityError:
            continue
        if made_it:
            return enrol(address, code, device_id)
    raise IdentityError("No service that was found here made this code; name it: parrotlet-edge enrol HOST CODE")


def renewed(identity: Identity, address: str) -> Identity:
    """The board's next identity. IdentityError, a sentence."""
    made = signing_request.new_request(identity.device_id)
    answered = ask_renew(identity, address, made.request)
    return _identity(identity.address, made.key, answered.certificate)


def relocated(identity: Identity, addresses: Iterable[Address]) -> Identity:
    """The same with the address where its service is now. IdentityError if it is at none of them."""
    for address in addresses:
        if is_at(identity, address):
            return msgspec.structs.replace(identity, address=str(address))
    raise IdentityError("The service that this board enrolled with does not announce itself here.")


def _identity(address: str, key: str, answered: enrolment_pb2.BoardCertificate) -> Identity:
    """IdentityError if the certificate is not for this key."""
    if not signing_request.fits(key, answered.certificate, answered.authority):
        raise IdentityError(f"{address}: the service answered with a certificate that is not for this board.")
    try:
        parse_address(address, called="the service's address", port_min=1)
    except SettingsError as error:
        raise IdentityError(f"The service answered with an address that is none: {address}.") from error
    return Identity(
        address,
        answered.device_id,
        key,
        answered.certificate,
        answered.authority,
        answered.issued_at_unix_us,
        answered.expires_at_unix_us,
    )
