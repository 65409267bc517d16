"""What a running service offers boards, as its owner has decided: followed, looked through, and at hand."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, TypeVar

from cloud.changing import board_folders
from cloud.changing.board_operations import FILE_NAME
from cloud.changing.canary import is_chosen
from cloud.changing.rollout_store import RolloutStore
from cloud.settings import Storage
from common.errors import RolloutError
from protos import speech_pb2
from protos.model_package import ModelPackage

logger = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_S = 2.0
"""How often it is looked what was decided."""

OFFERED_MAX, WITHDRAWN_MAX = 16, 64

CONTENTS_MAX = 4
"""Models that are held in memory."""


class Offer(NamedTuple):
    """A model, and to whom it is offered."""

    model: speech_pb2.BoardModel
    folder: str
    rollout: int
    share: float
    """Of the boards; 1: all of them."""

    def is_for(self, device_id: str | None) -> bool:
        """None: nobody knows who asks."""
        return self.share >= 1 or (device_id is not None and is_chosen(device_id, self.rollout, self.share))


class Offers:
    """Of one service, as a context manager. One event loop's."""

    def __init__(self, storage: Storage) -> None:
        self._file = storage.state_dir / FILE_NAME
        self._directory: Path = storage.board_models_dir
        self._offers: list[Offer] = []
        """Those to some boards before those to all."""
        self._withdrawn: list[str] = []
        self._contents: OrderedDict[str, bytes] = OrderedDict()
        self._seen: int | None = None
        self._store: RolloutStore | None = None
        self._ailing = ""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="board models")

    def __enter__(self) -> "Offers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown()
        if self._store is not None:
            self._store.close()

    def offered(self, device_id: str | None) -> list[speech_pb2.BoardModel]:
        """To a board, of each name one."""
        found: dict[str, Offer] = {}
        for offer in self._offers:
            if offer.is_for(device_id):
                found.setdefault(offer.model.name, offer)
        return [offer.model for offer in list(found.values())[:OFFERED_MAX]]

    @property
    def withdrawn(self) -> list[str]:
        """Hashes of what was taken back, and is offered to nobody."""
        return self._withdrawn

    async def content(self, device_id: str, name: str, version: str) -> bytes | None:
        """All of a model that a board is offered; None: it is not. RolloutError if it cannot be read now."""
        offers = [one for one in self._offers if (one.model.name, one.model.version) == (name, version)]
        offer = next((one for one in offers if one.is_for(device_id)), None)
        if offer is None:
            return None
        if (content := self._contents.get(offer.model.sha256)) is None:
            content = (await self._run(lambda: self._read(offer.folder, offer.model.sha256))).content
            self._contents[offer.model.sha256] = content
            while len(self._contents) > CONTENTS_MAX:
                self._contents.popitem(last=False)
        return content

    async def follow(self, look_s: float = LOOK_S) -> None:
        """Does what is decided, for ever."""
        while True:
            try:
                await self.look()
                self._ailing = ""
            except RolloutError as error:
                if self._ailing != str(error):
                    logger.error("boards are offered what they were offered before. %s", error)
                self._ailing = str(error)
            await asyncio.sleep(look_s)

    async def look(self) -> None:
        """Once. RolloutError."""
        # Where nobody ever offered anything, nothing is made.
        if self._store is not None or self._file.exists():
            await self._run(self._look)

    def _look(self) -> None:
        if self._store is None:
            self._store = RolloutStore(self._file)
        if (version := self._store.version()) == self._seen:
            return
        offers = []
        for rollout in self._store.all_active():
            offers += self._offer(rollout.candidate, rollout.version, rollout.number, rollout.share)
        for serving in self._store.all_serving().values():
            offers += self._offer(serving.what, serving.version, serving.rollout, 1.0)
        here = {offer.model.sha256 for offer in offers}
        returned = [one.version for one in self._store.all_returned() if one.version not in here]
        self._offers, self._withdrawn = offers, list(dict.fromkeys(reversed(returned)))[:WITHDRAWN_MAX]
        self._seen = version

    def _offer(self, folder: str, sha256: str, rollout: int, share: float) -> list[Offer]:
        """None where it cannot be read, which is told."""
        try:
            package = self._read(folder, sha256)
        except RolloutError as error:
            logger.error("boards are not offered %s. %s", folder, error)
            return []
        model = speech_pb2.BoardModel(
            name=package.card.name,
            version=package.card.version,
            kind=package.card.kind,
            sha256=sha256,
            bytes_count=len(package.content),
            card_bytes_count=len(package.card_content),
            feature_spec_fingerprint=package.card.feature_spec_fingerprint,
        )
        return [Offer(model, folder, rollout, share)]

    def _read(self, folder: str, sha256: str) -> ModelPackage:
        package = board_folders.kept(self._directory, folder)
        if package.sha256 != sha256:
            raise RolloutError(f"{self._directory / folder}: was changed after it had been offered.")
        return package

    async def _run(self, do: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, do)
