"""Versions of a model on the board's disk: a folder each, one that is being fetched, and the state, which alone says
what counts.

Nothing that counts is ever changed: a folder is written beside, and counts once the state has been replaced, in one
step. So whatever is killed leaves the state before or the state after, and files that nobody counts on, which go with
the next start.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from common.errors import ModelError
from common.private_files import private_directory, stamp, sync_directory, write_private
from edge.clock import SYSTEM_CLOCK
from edge.models import STATE_FILE
from edge.models.state import Held, State
from protos.feature_spec import FeatureSpec
from protos.model_card import CARD_FILE, MODEL_FILE, ModelCardError, sha256
from protos.model_package import PACKAGE_BYTES_MAX, read_package, unpacked

LOCK_FILE = "lock"
PART = ".part"
"""End of a file that is being fetched; its name is the model's SHA-256."""


class Offer(NamedTuple):
    """What a service offers."""

    held: Held
    bytes_count: int
    card_bytes_count: int


class UnfitError(ModelError):
    """Raised when a model came whole, and is none for this board."""


class Store:
    """Of one model's name. Any process may use it; changes wait for one another. ModelError where the disk fails."""

    def __init__(self, directory: Path, shipped: Path, unix_us: Callable[[], int] = SYSTEM_CLOCK.unix_us) -> None:
        """`directory` is made if need be; `shipped`: folder of the model that came with the program."""
        self._directory = directory
        self._shipped = shipped
        self._unix_us = unix_us

    def begin(self) -> State:
        """As a daemon finds it when it starts; what nobody counts on goes."""
        with _told(self._directory):
            private_directory(self._directory.parent)
            private_directory(self._directory)
        try:
            shipped = read_package(self._shipped).sha256
        except ModelCardError as error:
            raise ModelError(f"{error}.") from error
        state = self.change(lambda state, at: state.begun(shipped, at))
        for held in state.kept:
            if not self._is_whole(held):
                state = self.change(_without(held))
        self.sweep()
        return state

    def read(self) -> State:
        """An unreadable one is none: the shipped model is there."""
        try:
            return msgspec.json.decode((self._directory / STATE_FILE).read_bytes(), type=State)
        except (OSError, msgspec.DecodeError):
            return State()

    def stamp(self) -> object:
        """Changes with the state, whoever changed it."""
        return stamp(self._directory / STATE_FILE)

    def change(self, do: Callable[[State, int], State]) -> State:
        """Replaces the state by what is made of it and of the time; on the disk when it returns."""
        with _told(self._directory), self._alone():
            before = self.read()
            after = do(before, self._unix_us())
            if after != before:
                write_private(self._directory / STATE_FILE, msgspec.json.encode(after))
            return after

    def folder(self, held: Held | None) -> Path:
        """Of a model; None: the one that came with the program."""
        return self._shipped if held is None else self._directory / held.folder

    def offset(self, offer: Offer) -> int:
        """How much of it is here; what is here of others goes."""
        with _told(self._directory):
            part = self._part(offer.held)
            for other in self._directory.glob(f"*{PART}"):
                if other != part:
                    other.unlink()
            try:
                size = part.stat().st_size
            except FileNotFoundError:
                return 0
            if size > offer.bytes_count:
                part.unlink()
                return 0
            return size

    def append(self, offer: Offer, offset: int, data: bytes) -> int:
        """The next piece; how much is here then."""
        with _told(self._directory), self._part(offer.held).open("ab") as part:
            if part.tell() != offset or offset + len(data) > min(offer.bytes_count, PACKAGE_BYTES_MAX):
                raise ModelError(f"{offer.held}: the service sent a piece that does not follow on.")
            part.write(data)
            return part.tell()

    def is_here(self, held: Held) -> bool:
        """Whether it is in its folder, whole: it was here before."""
        return self._is_whole(held)

    def take(self, offer: Offer, spec: FeatureSpec) -> State:
        """What was fetched becomes the candidate. ModelError if it is not what was offered: it is fetched anew;
        UnfitError if it is none for this board."""
        with _told(self._directory):
            part = self._part(offer.held)
            content = part.read_bytes()
            if sha256(content) != offer.held.sha256:
                part.unlink()
                raise ModelError(f"{offer.held}: what came has another hash.")
            try:
                package = unpacked(content, offer.card_bytes_count)
                package.card.check_spec(spec)
                if (package.card.name, package.card.version) != (offer.held.name, offer.held.version):
                    raise ModelCardError(f"its card is that of {package.card.name} {package.card.version}")
            except ModelCardError as error:
                part.unlink()
                raise UnfitError(f"{offer.held}: {error}.") from error
            aside = Path(tempfile.mkdtemp(prefix=".", dir=self._directory))
            package.write(aside)
            for name in (CARD_FILE, MODEL_FILE):
                _sync(aside / name)
            sync_directory(aside)
            # One that was damaged makes room.
            shutil.rmtree(self.folder(offer.held), ignore_errors=True)
            aside.rename(self.folder(offer.held))
            sync_directory(self._directory)
            return self.adopt(offer.held)

    def adopt(self, held: Held) -> State:
        """What is in its folder becomes the candidate."""
        state = self.change(lambda state, at: state.fetched(held, at))
        self.sweep()
        return state

    def sweep(self) -> None:
        """Removes what nobody counts on; what is being fetched stays."""
        with _told(self._directory), self._alone():
            state = self.read()
            whole = {self._part(held).name for held in state.kept}
            wanted = {STATE_FILE, LOCK_FILE, *(held.folder for held in state.kept)}
            for path in self._directory.iterdir():
                if path.name in wanted or (path.suffix == PART and path.name not in whole):
                    continue
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)

    def _part(self, held: Held) -> Path:
        return self._directory / f"{held.sha256}{PART}"

    def _is_whole(self, held: Held) -> bool:
        try:
            return read_package(self.folder(held)).sha256 == held.sha256
        except ModelCardError:
            return False

    @contextmanager
    def _alone(self) -> Iterator[None]:
        handle = os.open(self._directory / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _without(held: Held) -> Callable[[State, int], State]:
    """Its folder is damaged, or gone. The model is not at fault, and may be fetched again."""
    why = "Its files are damaged."

    def lost(state: State, at_unix_us: int) -> State:
        after = msgspec.structs.replace(state, previous=None)
        if state.candidate == held:
            after = state.refuses(at_unix_us, why)
        elif state.current == held:
            after = state.goes_back(at_unix_us, why)
        return msgspec.structs.replace(after, refused=state.refused)

    return lost


def _sync(file: Path) -> None:
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _told(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ModelError(f"{directory}: cannot be used: {error.strerror or error}.") from error
