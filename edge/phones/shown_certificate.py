"""What the daemon knows of the page's certificate: a short-lived process makes it or looks at it, and says this.

`parrotlet-edge phones certificate --json` is that process, which anybody else may call as well.
"""

import asyncio
import logging
import os
import ssl
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from common.errors import IdentityError
from common.settings import Loaded, environment_name
from edge import directories
from edge.settings import ENVIRONMENT_PREFIX, EdgeSettings

logger = logging.getLogger(__name__)

RENEWED_DAYS = 30
"""So long before its end the board's own one is renewed."""
LOOK_S = 60.0
"""A board without a battery makes its first one in 1970, and soon knows better."""
AGAIN_S = 3600.0
"""Pause after a renewal that did not come about."""
COMMAND_S_MAX = 60.0


class ShownCertificate(msgspec.Struct, frozen=True):
    """The page's."""

    certificate_file: str
    """PEM, with what leads to its authority."""
    key_file: str
    fingerprint: str
    """SHA-256, as browsers show it."""
    expires_at_unix_us: int
    names: tuple[str, ...]
    is_owners: bool
    """The owner gave it, and renews it."""

    def context(self) -> ssl.SSLContext:
        """For a server that shows it. IdentityError."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.into(context)
        return context

    def into(self, context: ssl.SSLContext) -> None:
        """Connections from now on are shown this one. IdentityError."""
        try:
            context.load_cert_chain(self.certificate_file, self.key_file, password="")
        except (OSError, ValueError) as error:
            raise IdentityError(f"{self.certificate_file} and its key cannot be used: {error}.") from error


def page_directory(state: Path) -> Path:
    """Where the page keeps what is its own, in the board's state directory."""
    return state / "page"


def ask(loaded: Loaded[EdgeSettings]) -> ShownCertificate:
    """The page's certificate, made where need be; it takes a second or two. IdentityError."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "edge", "phones", "certificate", "--json"],
            env=_environment(loaded),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMMAND_S_MAX,
            check=False,
        )
        if done.returncode == 0:
            return msgspec.json.decode(done.stdout, type=ShownCertificate)
    except (OSError, subprocess.TimeoutExpired, msgspec.DecodeError) as error:
        raise IdentityError(f"The page's certificate cannot be had: {error}.") from error
    raise IdentityError(done.stderr.decode(errors="replace").strip() or "The page's certificate cannot be had.")


async def keep_renewed(
    loaded: Loaded[EdgeSettings], shown: ShownCertificate, context: ssl.SSLContext, look_s: float = LOOK_S
) -> None:
    """For ever: renews the board's own one before it ends, and takes up the owner's when that is another."""
    again_at_s, stamp = 0.0, _stamp(shown)
    while True:
        await asyncio.sleep(look_s)
        now = _stamp(shown)
        if now == stamp and (not _is_due(shown) or time.monotonic() < again_at_s):
            continue
        stamp, again_at_s = now, time.monotonic() + AGAIN_S
        try:
            newer = await asyncio.to_thread(ask, loaded)
            newer.into(context)
            if newer.fingerprint != shown.fingerprint:
                logger.info("the page shows a new certificate; its SHA-256 fingerprint is %s", newer.fingerprint)
            shown, stamp = newer, _stamp(newer)
        except IdentityError as error:
            logger.error("the page's former certificate is used on. %s", error)


def _is_due(shown: ShownCertificate) -> bool:
    left_s = shown.expires_at_unix_us / 1e6 - time.time()
    # The owner's is looked at on its last day, so that the log says what phones will.
    return left_s < (1 if shown.is_owners else RENEWED_DAYS) * 86_400


def _stamp(shown: ShownCertificate) -> tuple[int, ...]:
    """Changes when the files do."""
    stamps: list[int] = []
    for file in (shown.certificate_file, shown.key_file):
        try:
            status = Path(file).stat()
        except OSError:
            continue
        stamps += [status.st_ino, status.st_mtime_ns]
    return tuple(stamps)


def _environment(loaded: Loaded[EdgeSettings]) -> dict[str, str]:
    """The same settings for another process, wherever this one has them from."""
    page, state = loaded.settings.page, directories.hoped_for(loaded, directories.STATE)
    given = {
        "device.state_dir": str(state),
        "device.id": loaded.settings.device.id,
        "page.names": ",".join(page.names),
        "page.certificate_file": page.certificate_file,
        "page.key_file": page.key_file,
    }
    told = {
        environment_name(ENVIRONMENT_PREFIX, path): str(value) for path, value in given.items() if value is not None
    }
    return os.environ | told
