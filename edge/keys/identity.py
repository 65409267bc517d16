"""Who this board is to a service: its key, its certificate and whom it trusts, in one file that is whole or not there.

Read by the daemon, which must stay small: nothing here needs the library that makes keys.
"""

import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from common.addresses import parse_address
from common.errors import IdentityError, SettingsError
from common.private_files import private_directory, stamp, write_private
from common.settings import Loaded
from edge import directories
from edge.settings import EdgeSettings, Service

RENEWED_AT = 2 / 3
"""Share of its life after which a certificate is renewed."""


class Identity(msgspec.Struct, frozen=True):
    """What came of enrolling."""

    address: str
    """HOST:PORT of the service."""
    device_id: str
    key: str
    """Private, PEM; made here, and never anywhere else."""
    certificate: str
    authority: str
    issued_at_unix_us: int
    """By the service's clock."""
    expires_at_unix_us: int

    def is_due(self, now_unix_us: int) -> bool:
        """Whether it should be renewed. A clock that stands before its own certificate is wrong, and tells nothing: it
        may be late."""
        life_us = self.expires_at_unix_us - self.issued_at_unix_us
        return not self.issued_at_unix_us <= now_unix_us < self.issued_at_unix_us + RENEWED_AT * life_us

    def why_not(self, now_unix_us: int, is_synchronised: bool | None) -> str | None:
        """Why no service will take the certificate, a sentence; None: by this clock it should."""
        if now_unix_us < self.expires_at_unix_us:
            return None
        sure = "" if is_synchronised else ", but nobody keeps that clock right"
        return (
            f"this board's certificate expired on {_day(self.expires_at_unix_us)}; its clock says {_day(now_unix_us)}"
            f"{sure}; to enrol again: parrotlet-edge enrol"
        )


class IdentityFile:
    """One identity, by the name of the service, in the board's state directory."""

    def __init__(self, places: list[Path], name: str = "cloud") -> None:
        """places: directories to look in, in order."""
        self.name = name
        self._files = [place / "identity" / f"{name}.json" for place in places]
        self._stamp: tuple[int, int] | None = None
        self._identity: Identity | None = None

    def read(self) -> Identity | None:
        """What it says now; None: this board has not enrolled. The file is opened only when it is another one.
        IdentityError if it cannot be read."""
        for file in self._files:
            if (now := stamp(file)) is not None:
                if now != self._stamp:
                    self._identity, self._stamp = _parsed(file), now
                return self._identity
        return None

    def write(self, directory: Path, identity: Identity) -> Path:
        """Keeps it in this directory. IdentityError if that cannot be."""
        file = directory / "identity" / f"{self.name}.json"
        try:
            private_directory(file.parent)
            write_private(file, msgspec.json.format(msgspec.json.encode(identity), indent=1) + b"\n")
        except OSError as error:
            raise IdentityError(f"{file} cannot be written: {error.strerror}.") from error
        return file

    def directory(self) -> Path | None:
        """The directory that it lies in now."""
        return next((file.parent.parent for file in self._files if file.exists()), None)


class Enrolment(NamedTuple):
    """A service as this board asks it."""

    settings: Service
    file: IdentityFile
    address_is_given: bool
    """Its owner set an address; else the one that the board enrolled at counts."""

    def identity(self) -> Identity | None:
        """Who the board is at the service's address; None: nobody. A service on the board itself may be another one
        than the one it enrolled with, and then is asked in plain text. IdentityError."""
        identity = self.file.read()
        if identity is None or not self.address_is_given or identity.address == self.settings.address:
            return identity
        address = parse_address(self.settings.address, called="cloud.address", port_min=1)
        return None if address.is_loopback else identity

    def address(self, identity: Identity | None) -> str:
        """HOST:PORT to ask."""
        return self.settings.address if self.address_is_given or identity is None else identity.address


def enrolment(loaded: Loaded[EdgeSettings], section: str = "cloud") -> Enrolment:
    """The service of that section of the settings, which is also what the board calls it."""
    return Enrolment(
        getattr(loaded.settings, section),
        IdentityFile(directories.candidates(loaded, directories.STATE), section),
        address_is_given=loaded.origins[f"{section}.address"] != "default",
    )


def check_name(name: str) -> None:
    """SettingsError if a service cannot be called so."""
    if not name.isidentifier() or not name.isascii():
        raise SettingsError(f"--as is {name!r}, but must be a word of letters, digits and _, such as house.")


def _parsed(file: Path) -> Identity:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Identity)
    except OSError as error:
        raise IdentityError(f"{file} cannot be read: {error.strerror}.") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise IdentityError(f"{file} is not what enrolling wrote ({error}); enrol again.") from error


def _day(unix_us: int) -> str:
    return f"{datetime.datetime.fromtimestamp(unix_us / 1e6):%Y-%m-%d}"
