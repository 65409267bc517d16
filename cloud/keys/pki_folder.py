"""The folder of an authority: made, opened, emptied."""

import os
import socket
from collections.abc import Sequence
from pathlib import Path

from cloud.keys import certificates
from cloud.keys.authority import AUTHORITY_DAYS, DAY_US, FILES, Authority, Clock, unix_us
from cloud.settings import INSTALLED_STATE_DIR
from common.errors import IdentityError
from common.private_files import private_directory
from protos.enrolment_code import ENROLMENT_TLS_NAME


def create(directory: Path, names: Sequence[str], clock: Clock = unix_us) -> Authority:
    """A new authority in a folder that has none. IdentityError if the folder cannot be written to."""
    try:
        private_directory(directory)
        authority = Authority(directory, clock)
        now_us = clock()
        until_us = now_us + AUTHORITY_DAYS * DAY_US
        authority.keep("enrolment", certificates.new_self_signed(ENROLMENT_TLS_NAME, now_us, until_us))
        # The last file but one, for a folder without it is no authority; the service's own it makes again itself.
        name = f"Parrotlet at {socket.gethostname()}"[:64]
        authority.keep("authority", certificates.new_authority(name, now_us, until_us))
        authority.renew_service(names)
    except OSError as error:
        raise IdentityError(f"{directory} cannot be written to: {error.strerror}.") from error
    return authority


def remove(authority: Authority) -> None:
    """Nobody it let in gets in any more. IdentityError if it cannot be removed."""
    try:
        for name in ("boards.json", "codes.json", *(f"{name}.pem" for name in FILES)):
            (authority.directory / name).unlink(missing_ok=True)
    except OSError as error:
        raise IdentityError(f"{authority.directory} cannot be written to: {error.strerror}.") from error


def open_authority(directory: Path, clock: Clock = unix_us) -> Authority | None:
    """The authority of this folder; None if there is none. IdentityError if it cannot be looked for."""
    try:
        return Authority(directory, clock) if (directory / "authority.pem").exists() else None
    except OSError as error:
        raise IdentityError(f"{directory} cannot be read: {error.strerror}.") from error


def existing_authority(directory: Path) -> Authority:
    """The authority of this folder. IdentityError, a sentence that says how to make one, if there is none."""
    authority = open_authority(directory)
    if authority is None:
        theirs = INSTALLED_STATE_DIR
        others = " Those of the installed service are root's: use sudo." if os.path.lexists(theirs) else ""
        raise IdentityError(f"There are no certificates in {directory}; parrotlet-cloud pki init makes them.{others}")
    return authority


def make_room(directory: Path, *, again: bool) -> None:
    """Empties the folder for another authority. IdentityError if it has one that shall not be replaced."""
    authority = open_authority(directory)
    if authority is not None:
        if not again:
            raise IdentityError(
                f"There are certificates in {directory} already. --again replaces them, "
                "and each board must enrol again."
            )
        remove(authority)
