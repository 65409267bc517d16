"""A service that is tried, and what somebody who tries needs of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import grpc

from benchmarks import path
from benchmarks.strange_connections import Keys
from benchmarks.victims import free_port
from cloud.keys import certificates
from cloud.keys.authority import Authority, unix_us
from cloud.keys.pki_folder import create
from common.addresses import Address, parse_address
from edge.keys import signing_request
from edge.keys.identity import Identity
from protos.enrolment_code import SERVICE_TLS_NAME

MINUTE_US = 60_000_000
STREAMS_MAX = "8"
"""Few decoders, so that all are there before memory is looked at."""


class Target(NamedTuple):
    """A service to try, whose folder of keys is at hand."""

    address: Address
    enrol_address: Address
    authority: Authority

    def board(self, name: str = "kitchen") -> Keys:
        """One that enrolled, without the way there."""
        made = signing_request.new_request(name)
        code = self.authority.open_code(MINUTE_US, name)
        issued = self.authority.enrol(code.secret, made.request, name)
        return Keys(self.authority.trusted(), made.key.encode(), issued.certificate)

    def stranger(self, authority: Authority, expires_at_us: int) -> Keys:
        """Whom an authority has certified as kitchen without a code."""
        made = signing_request.new_request("kitchen")
        key = certificates.requested_key(made.request)
        certificate = certificates.new_board(authority.pair("authority"), "kitchen", key, unix_us(), expires_at_us)
        return Keys(self.authority.trusted(), made.key.encode(), certificate)


class Try(NamedTuple):
    """What somebody tried."""

    what: str
    wanted: str
    met: str


def enrolled(authority: Authority, device_id: str, address: str) -> Identity:
    """A board of the service at that address, without the way there."""
    made = signing_request.new_request(device_id)
    issued = authority.enrol(authority.open_code(MINUTE_US, device_id).secret, made.request, device_id)
    board = issued.board
    return Identity(
        address,
        device_id,
        made.key,
        issued.certificate.decode(),
        authority.trusted().decode(),
        board.renewed_at_unix_us,
        board.expires_at_unix_us,
    )


@contextmanager
def own_service(folder: Path) -> Iterator[tuple[Target, path.Service]]:
    """A service with pocketsphinx, closed by an authority of its own."""
    authority = create(folder / "pki", [])
    port = free_port()
    settings = {"server_enrol_listen": f"127.0.0.1:{port}", "server_streams_max": STREAMS_MAX}
    with path.service(folder, decoding_whisper="false", **settings) as service:
        address = parse_address(service.address, called="address", port_min=1)
        yield Target(address, Address("127.0.0.1", port), authority), service


@contextmanager
def channel_to(address: Address, keys: Keys | None, name: str = SERVICE_TLS_NAME) -> Iterator[grpc.Channel]:
    options = (("grpc.ssl_target_name_override", name), ("grpc.use_local_subchannel_pool", 1))
    opened = (
        grpc.insecure_channel(str(address), options=options[1:])
        if keys is None
        else grpc.secure_channel(str(address), grpc.ssl_channel_credentials(*keys), options=options)
    )
    with opened as channel:
        yield channel
