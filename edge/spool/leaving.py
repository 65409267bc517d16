"""What is left of a phone that was revoked, and had a place of its own: nothing, here and at the services.

Its place is the note that something is still to be erased: it goes last, so that whoever finds it goes on after a death
at any moment. No table says so, for the spool may be damaged, and goes with the rest.
"""

import os
import shutil
from pathlib import Path
from typing import NamedTuple

from common.errors import SettingsError, SpoolError
from common.settings import Loaded
from edge.asking.services import chain_of
from edge.phones.phones import Phones
from edge.settings import EdgeSettings
from edge.spool.bringing import bring_erasure
from edge.spool.erasure import Erasure
from edge.spool.phone_places import phones_with_places, place_of
from edge.spool.spool import FILE_NAME, locked


class Left(NamedTuple):
    """What came of it."""

    there: int = 0
    """Utterances that the services forgot."""
    why_not: str | None = None
    """Why a service has not been asked; None: all were."""
    in_use: bool = False
    """Somebody has its spool open, who is to close it first: nothing was done."""


def leavers(state: Path, phones: Phones) -> list[str]:
    """Ids of phones that have a place, and are not paired any more. SpoolError; IdentityError: nobody knows who is."""
    # In this order: a phone is paired before it has a place.
    with_places = phones_with_places(state)
    paired = {phone.id for phone in phones.all()} if with_places else set()
    return [phone for phone in with_places if phone not in paired]


def leave(loaded: Loaded[EdgeSettings], state: Path, phone: str) -> Left:
    """Erases here, then asks there; to be called again until there is neither a reason why not nor somebody who uses
    it. Waits. SpoolError if not all could be erased here."""
    place = place_of(state, phone)
    try:
        lock = locked(place / FILE_NAME)
    except SettingsError:
        return Left(in_use=True)
    try:
        _empty(place)
        there, why_not = bring_erasure(Erasure(), chain_of(loaded, phone=phone))
        if why_not is None:
            shutil.rmtree(place)
    except OSError as error:
        raise SpoolError(f"{place} cannot be erased: {error.strerror or error}.") from error
    finally:
        if lock is not None:
            os.close(lock)
    return Left(there, why_not)


def _empty(place: Path) -> None:
    """All but the lock, which nobody else may have meanwhile. OSError."""
    for path in place.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.suffix != ".lock":
            path.unlink()
