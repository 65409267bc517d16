"""The watch of a running service: follows the utterance log, tells what it finds, keeps what it knows.

In a thread of its own with a connection of its own: nobody who is answered waits for it. What it has not kept when the
service dies it sees again, from the log.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Protocol

from cloud.beside import beside
from cloud.drift.causes.words import unknown_in
from cloud.drift.finding import Finding
from cloud.drift.state import WatchFile
from cloud.drift.watch import KnowsWord, Watch
from cloud.log.reader import LogReader
from common.errors import ParrotletError

logger = logging.getLogger(__name__)

FILE_NAME = "drift.db"

LOOK_S = 2.0
"""How often it looks for what was answered."""
BATCH = 200
"""Utterances at a time; then who else has the processor may have it."""
AGAIN_S = 10.0
KEEP_S = 30.0
"""How often what it knows is written: a kill makes it see again what came since."""


class Told(Protocol):
    """Who is told what is found: `cloud.alerts.ringing.Ringing`."""

    def take(self, found: Sequence[Finding]) -> None:
        """Something was found. Quick, and sure to be told later: it is not found again."""

    def look(self) -> None:
        """There is time to tell it."""


class Following:
    """A context manager; all of it in one thread."""

    def __init__(
        self,
        log_file: Path,
        state_dir: Path,
        told: Told,
        *,
        group_of: Callable[[str], str | None] = lambda device_id: None,
        knows_word: KnowsWord | None = None,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log_file = log_file
        self._file = WatchFile(state_dir / FILE_NAME)
        self._told = told
        self._knows_word = knows_word
        self._monotonic_s = monotonic_s
        self._kept_s = monotonic_s()
        self._erasures: Mapping[str, int] = {}
        self.watch = Watch(group_of=group_of, transcripts=self._transcripts, knows_word=knows_word)

    def __enter__(self) -> "Following":
        """SettingsError if the log or what is kept cannot be used."""
        self._file.__enter__()
        try:
            self._reader = LogReader(self._log_file)
            self._file.load(self.watch)
        except BaseException:
            self._file.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *cause: object) -> None:
        with closing(self._reader):
            self._file.save(self.watch)
        self._file.__exit__(None, None, None)

    def look(self) -> bool:
        """Sees what was answered since, as far as that goes at a time, and has it told; whether there is more.
        ParrotletError, a sentence, where what it knows cannot be kept."""
        self._forget()
        # An older copy of the log may have been put back.
        self.watch.number = min(self.watch.number, self._reader.last_number())
        entries = self._reader.since(self.watch.number, BATCH)
        for entry in entries:
            unknown = () if self._knows_word is None else unknown_in(entry.transcript, self._knows_word)
            found = self.watch.saw(entry.facts, entry.number, unknown)
            if found:
                self._told.take(found)
        if entries and self._monotonic_s() - self._kept_s >= KEEP_S:
            self._kept_s = self._monotonic_s()
            self._file.save(self.watch)
        self._told.look()
        return len(entries) == BATCH

    def _forget(self) -> None:
        """A board of which nothing is left in the log is not known here either; at first all of which anything was ever
        erased are looked at, for the owner may have done so while the service did not run."""
        now = self._reader.erasures()
        changed = [device_id for device_id, times in now.items() if self._erasures.get(device_id) != times]
        self._erasures = now
        gone = [device_id for device_id in changed if not self._reader.has_board(device_id)]
        for device_id in gone:
            self.watch.forget(device_id)
        if gone:
            self._file.save(self.watch)
            self._file.scrub()

    def _transcripts(self, keys: Sequence[tuple[str, str]]) -> Iterable[str]:
        return self._reader.transcripts(keys)


class Follower(Protocol):
    """A context manager; all of it in one thread. ParrotletError, a sentence, where it cannot go on now."""

    def __enter__(self) -> "Follower": ...

    def __exit__(self, *cause: object) -> None: ...

    def look(self) -> bool:
        """Sees some of what has come; whether there is more."""


@asynccontextmanager
async def followed(make: Callable[[], Follower]) -> AsyncIterator[None]:
    """Meanwhile the log is followed; what goes wrong is told, and it begins again."""
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="drift")
    loop = asyncio.get_running_loop()

    async def follow() -> None:
        while True:
            try:
                await once()
            except ParrotletError as error:
                logger.warning("Whether boards hear as they used to is not known now. %s", error)
                await asyncio.sleep(AGAIN_S)

    async def once() -> None:
        following = await loop.run_in_executor(thread, lambda: make().__enter__())
        try:
            while True:
                if not await loop.run_in_executor(thread, following.look):
                    await asyncio.sleep(LOOK_S)
        finally:
            # Shielded: what it knows is to be kept also when the service stops.
            await asyncio.shield(loop.run_in_executor(thread, following.__exit__))

    try:
        async with beside(follow):
            yield
    finally:
        thread.shutdown()
