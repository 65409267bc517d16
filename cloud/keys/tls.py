"""What the ports show and ask for: the service's certificate, renewed while it runs, and one from each board."""

import asyncio
import logging
from collections.abc import Sequence

import grpc

from cloud.keys.authority import Authority
from cloud.keys.certificates import Pair
from cloud.keys.names import own_names
from common.errors import IdentityError
from common.private_files import stamp

logger = logging.getLogger(__name__)

LOOK_S = 60.0
"""How often the service looks whether its certificate is due."""


class ServiceCredentials:
    """Credentials of the service's port, from the authority's files whenever these are other ones."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._stamp = self._now()
        self._told = self._stamp
        """What the files were when they were last said to be unusable."""

    def credentials(self) -> grpc.ServerCredentials:
        """Boards without a certificate of this authority are refused by TLS. IdentityError."""
        first = self._configuration()
        # Asked for each connection, in a thread of gRPC's.
        return grpc.dynamic_ssl_server_credentials(
            first,
            self._newer,  # type: ignore[arg-type]  # None means as before; grpc-stubs does not know it.
            require_client_authentication=True,
        )

    def _configuration(self) -> grpc.ServerCertificateConfiguration:
        key, certificate = self._authority.pair("service")
        return grpc.ssl_server_certificate_configuration([(key, certificate)], self._authority.trusted())

    def _newer(self) -> grpc.ServerCertificateConfiguration | None:
        """What to use from now on; None: the same as before."""
        now = self._now()
        if now == self._stamp:
            return None
        try:
            newer = self._configuration()
        except IdentityError as error:
            # Asked for each connection, and files stay broken until somebody comes.
            if now != self._told:
                self._told = now
                logger.error("the former certificate is used on. %s", error)
            return None
        self._stamp = now
        logger.info("the port shows a new certificate")
        return newer

    def _now(self) -> tuple[tuple[int, int] | None, ...]:
        return tuple(stamp(self._authority.directory / f"{name}.pem") for name in ("service", "authority"))


def enrolment_credentials(pair: Pair) -> grpc.ServerCredentials:
    """Of the port that asks for no certificate. IdentityError."""
    return grpc.ssl_server_credentials([pair])


async def keep_renewed(authority: Authority, names: Sequence[str], look_s: float = LOOK_S) -> None:
    """Renews the service's certificate when it is due, for ever. The port follows by itself."""
    while True:
        await asyncio.sleep(look_s)
        try:
            if await asyncio.to_thread(authority.renew_service, [*names, *own_names()]):
                logger.info("the service's certificate was renewed")
        except (IdentityError, OSError) as error:
            logger.error("the service's certificate could not be renewed: %s", error)
