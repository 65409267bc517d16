"""What closes the service to strangers, all of it or nothing: with an authority its port is TLS alone, the callers are
asked for, boards enrol and renew; without one, it serves its own machine."""

import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc

from cloud.beside import beside
from cloud.keys.callers import Callers
from cloud.keys.enrolment import EnrolmentPort
from cloud.keys.names import given_names, own_names
from cloud.keys.pki_folder import open_authority
from cloud.keys.renewal import IDENTITY_NAME, IdentityService
from cloud.keys.tls import ServiceCredentials, keep_renewed
from cloud.settings import CloudSettings
from common import VERSION
from common.addresses import Address, parse_address
from common.announcement import announce
from common.errors import SettingsError
from protos.enrolment_code import MDNS_TYPE

logger = logging.getLogger(__name__)


class Closed:
    """Made before the server, which it is part of."""

    def __init__(self, settings: CloudSettings, listen: Address) -> None:
        """SettingsError if it would be open to others; IdentityError if keys cannot be used."""
        self._settings = settings.server
        self._listen = listen
        self._names = given_names(settings.server.names)
        self._enrol_listen = _enrol_listen(settings.server.enrol_listen, listen)
        self._authority = open_authority(settings.storage.pki_dir)
        if self._authority is None and not listen.is_loopback:
            raise SettingsError(
                f"Without certificates the service listens on this machine alone, not on {listen}; make them with: "
                "parrotlet-cloud pki init"
            )
        self.callers = Callers(self._authority)
        self.services = (IDENTITY_NAME,) if self._authority else ()
        """Names of what `handlers` offers."""

    def handlers(self) -> "list[grpc.GenericRpcHandler[bytes, bytes]]":
        """What the server offers besides."""
        return [IdentityService(self._authority).handler()] if self._authority else []

    def add_port(self, server: grpc.aio.Server, address: str) -> int:
        """Gives the server its port; the one that was picked. RuntimeError if it cannot be had; IdentityError."""
        if self._authority is None:
            return server.add_insecure_port(address)
        # One that expired while the service was off would keep everybody out.
        self._authority.renew_service([*self._names, *own_names()])
        return server.add_secure_port(address, ServiceCredentials(self._authority).credentials())

    @asynccontextmanager
    async def running(self, port: int) -> AsyncIterator[None]:
        """What goes on beside the server, which is at this port."""
        if self._authority is None:
            logger.info("no certificates: plain text, for this machine alone")
            yield
            return
        authority, names = self._authority, self._names
        logger.info("TLS alone, for boards that enrolled")
        enrolment = EnrolmentPort(authority, self._enrol_listen, port)
        parts = [enrolment.watch, self.callers.watch, lambda: keep_renewed(authority, names)]
        if self._settings.announce and not self._listen.is_loopback:
            name, address = socket.gethostname().split(".")[0] or "service", Address(self._listen.host, port)
            parts.append(lambda: announce(MDNS_TYPE, name, address, lambda: _properties(enrolment.port)))
        async with beside(*parts):
            yield


def _properties(enrol_port: int) -> dict[str, str]:
    """What is announced. A board believes none of it before the code has proved the enrolment port."""
    # Until it is known which port it is, boards take the next one.
    return {"version": VERSION} | ({"enrol": str(enrol_port)} if enrol_port else {})


def _enrol_listen(given: str, listen: Address) -> Address:
    if given:
        return parse_address(given, called="server.enrol_listen", port_min=0)
    return Address(listen.host, listen.port + 1 if listen.port else 0)
