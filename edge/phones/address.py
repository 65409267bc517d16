"""Where the page is: what its settings say of it, whom a browser may call it, what it shows to who knocks."""

import hashlib
import ssl
from ipaddress import ip_address
from socket import create_connection

from common.addresses import Address, parse_address
from common.errors import DaemonError, IdentityError, SettingsError
from edge.phones.host_names import given_names, own_addresses, own_names
from edge.settings import Page

KNOCK_S_MAX = 5.0
EVERYWHERE = frozenset({"0.0.0.0", "[::]"})


def page_address(page: Page) -> Address:
    """Where to listen. SettingsError, a sentence, if the settings of the page do not go together."""
    if not page.listen:
        raise SettingsError(
            "page.listen is not set, so there is no page; set it, such as 0.0.0.0:7409, and start the daemon again."
        )
    address = parse_address(page.listen, called="page.listen", port_min=0)
    if not page.tls and not address.is_loopback:
        raise SettingsError(
            f"page.tls is false, but page.listen is {address}, which is not this machine alone: everybody on the way "
            "could read what is said, and browsers give no microphone."
        )
    if (page.certificate_file is None) != (page.key_file is None):
        raise SettingsError("page.certificate_file and page.key_file go together; set both, or neither.")
    return address


def known_names(page: Page) -> list[str]:
    """All that the page is called, lower case. SettingsError."""
    return list(dict.fromkeys([*given_names(page.names), *own_names()]))


def page_urls(page: Page, port: int) -> list[str]:
    """Where a phone opens the page, the best one first. SettingsError."""
    address = page_address(page)
    if address.is_loopback:
        hosts = [address.host]
    else:
        local = [name for name in own_names() if name.endswith(".local") and not name.startswith("localhost")]
        reached = _addresses() if address.host in EVERYWHERE else [address.host]
        hosts = given_names(page.names)[:1] + local[:1] + reached[:1]
    scheme, usual = ("https", 443) if page.tls else ("http", 80)
    tail = "" if port == usual else f":{port}"
    return [f"{scheme}://{host}{tail}" for host in dict.fromkeys(hosts)]


def shown_fingerprint(page: Page) -> str:
    """SHA-256 of the certificate that the daemon shows there now; empty without TLS. DaemonError if nobody listens."""
    address = page_address(page)
    host = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(address.host, address.host.strip("[]"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with create_connection((host, address.port), KNOCK_S_MAX) as connection:
            if not page.tls:
                return ""
            with context.wrap_socket(connection) as tls:
                shown = tls.getpeercert(binary_form=True) or b""
    except ssl.SSLError as error:
        raise IdentityError(f"{address}: who listens there speaks no TLS ({error.reason}).") from error
    except OSError as error:
        raise DaemonError(
            f"Nobody serves the page at {address} ({error.strerror or error}); start the daemon: parrotlet-edge run"
        ) from error
    return hashlib.sha256(shown).digest().hex(":").upper()


def _addresses() -> list[str]:
    """Of this machine, as others write them in an address."""
    found = [ip_address(each) for each in own_addresses()]
    return [f"[{each}]" if each.version == 6 else str(each) for each in found if not each.is_loopback]
