"""The port of the operator's page: where it is, by which names, and with the service's own certificate where there is
one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cloud.keys.names import given_names, own_address, own_names
from cloud.keys.pki_folder import open_authority
from cloud.operating.app import OperatorPage, link_path
from cloud.operating.operators import FILE_NAME, Operators
from cloud.operating.seams import Drift, Labels, Running
from cloud.settings import CloudSettings
from cloud.web_port import web_port
from common.addresses import Address, parse_address
from common.errors import SettingsError

CALLED = "operating.listen"
EVERYWHERE = ("0.0.0.0", "[::]")


@asynccontextmanager
async def operating(
    settings: CloudSettings,
    running: Running | None,
    *,
    drift: Drift | None = None,
    labels: Labels | None = None,
) -> AsyncIterator[Address]:
    """Meanwhile the page answers where the settings say; the address with the port that was picked. SettingsError,
    IdentityError."""
    listen = parse_address(settings.operating.listen, called=CALLED, port_min=0)
    is_tls = may_be_reached(settings, listen)
    operators = Operators(settings.storage.state_dir / FILE_NAME)
    page = OperatorPage(settings, operators, running, tls=is_tls, drift=drift, labels=labels)
    names = [_in_header(name) for name in (*given_names(settings.server.names), *own_names())]
    async with web_port(page.guarded(names), listen, CALLED, certificate_file(settings) if is_tls else None) as address:
        yield address


def may_be_reached(settings: CloudSettings, listen: Address) -> bool:
    """Whether it speaks TLS, as it does where there is an authority. SettingsError where it would be open to listeners
    on the way."""
    has_authority = open_authority(settings.storage.pki_dir) is not None
    if not has_authority and not listen.is_loopback:
        raise SettingsError(
            f"Without certificates the operator's page is for this machine alone, and not on {listen}; make them with: "
            "parrotlet-cloud pki init"
        )
    return has_authority


def certificate_file(settings: CloudSettings) -> Path:
    """The service's key and certificate."""
    return settings.storage.pki_dir / "service.pem"


def link(listen: Address, token: str, *, tls: bool) -> str:
    """The address that signs a browser in."""
    host = (own_address() or "localhost") if listen.host in EVERYWHERE else listen.host
    return f"{'https' if tls else 'http'}://{host}:{listen.port}{link_path(token)}"


def _in_header(name: str) -> str:
    """As `Host` has it."""
    return f"[{name.lower()}]" if ":" in name else name.lower()
