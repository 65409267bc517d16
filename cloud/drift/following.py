"""The watch of a running service: follows the utterance log, tells what it finds, keeps what it knows.

In a thread of its own with a connection of its own: nobody who is answered waits for it. What it has not kept when the
service dies it sees again, from the log.
"""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Protocol

from cloud.alerts.erasing import is_said_in
from cloud.beside import beside
from cloud.drift.causes.words import Pronounces, unknown_in
from cloud.drift.finding import Finding
from cloud.drift.state import WatchFile
from cloud.drift.watch import KnowsWord, Watch
from cloud.log.answer_store import DATABASE_ERRORS
from cloud.log.reader import LogReader
from common.errors import ParrotletError

logger = logging.getLogger(__name__)

FILE_NAME = "drift.db"

LOOK_S = 10.0
"""How often it looks for what was answered. Each look wakes up a thread whose memory is no processor's any more: of
an idle service it is what watching costs."""
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

    def accepted(self) -> Sequence[str]:
        """Streams of which somebody said that what is now is to stay."""

    def was_accepted(self, streams: Sequence[str]) -> None:
        """It is known, and kept."""

    def erase(self, is_said: Callable[[str], bool], has_board: Callable[[str], bool]) -> None:
        """Something was erased: what is said no more is nowhere to be read, nor anything of boards that are gone."""


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
        pronounces: Pronounces | None = None,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log_file = log_file
        self._file = WatchFile(state_dir / FILE_NAME)
        self._told = told
        self._knows_word = knows_word
        self._monotonic_s = monotonic_s
        self._kept_s = monotonic_s()
        self._erasures: Mapping[str, int] = {}
        """That were seen to; of those before the start nobody knows, so they are seen to once more."""
        self.watch = Watch(
            group_of=group_of, transcripts=self._transcripts, knows_word=knows_word, pronounces=pronounces
        )

    def __enter__(self) -> "Following":
        """SettingsError if the log or what is kept cannot be used."""
        with ExitStack() as held:
            held.enter_context(self._file)
            self._reader = held.enter_context(closing(LogReader(self._log_file)))
            self._file.load(self.watch)
            self._held = held.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *cause: object) -> None:
        """SettingsError if what it knows cannot be kept."""
        with self._held:
            # After a fault the next one begins where it was kept last: what was found and not told is found again.
            if kind is None:
                self._file.save(self.watch)

    def look(self) -> bool:
        """Sees what was answered since, as far as that goes at a time, and has it told; whether there is more.
        ParrotletError, a sentence, where what it knows cannot be kept."""
        self._forget()
        self._accept()
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
        """A board of which nothing is left in the log is not known here either, nor a word that it has no more; first
        of all that had anything erased, for the owner may have done so while no service ran."""
        now = self._reader.erasures()
        changed = [device_id for device_id, times in now.items() if self._erasures.get(device_id) != times]
        for device_id in changed:
            if self._reader.has_board(device_id):
                self.watch.forget_words(device_id, but=self._words_of(device_id))
            else:
                self.watch.forget(device_id)
        if changed:
            self._file.save(self.watch)
            self._file.scrub()
            self._told.erase(is_said_in(self._reader), self._reader.has_board)
        self._erasures = now

    def _accept(self) -> None:
        """What somebody says is to stay is learnt: what was usual is so no more, in nothing that goes with it."""
        if streams := list(self._told.accepted()):
            found = [finding for stream in streams for finding in self.watch.learn_anew(stream)]
            self._told.take(found)
            self._file.save(self.watch)
            self._told.was_accepted(streams)

    def _words_of(self, device_id: str) -> set[str]:
        knows = self._knows_word
        said = self._reader.transcripts_of(device_id)
        return set() if knows is None else {word for transcript in said for word in unknown_in(transcript, knows)}

    def _transcripts(self, keys: Sequence[tuple[str, str]]) -> Iterable[str]:
        return self._reader.transcripts(keys)


class Follower(Protocol):
    """A context manager; all of it in one thread. ParrotletError, a sentence, where it cannot go on now, or one of
    DATABASE_ERRORS where the log cannot be read."""

    def __enter__(self) -> "Follower": ...

    def __exit__(self, kind: type[BaseException] | None, *cause: object) -> None: ...

    def look(self) -> bool:
        """Sees some of what has come; whether there is more."""


@asynccontextmanager
async def followed(make: Callable[[], Follower], look_s: float = LOOK_S) -> AsyncIterator[None]:
    """Meanwhile the log is followed, looked at so often; what goes wrong is told, and it begins again."""
    stopping = threading.Event()
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="drift")

    async def follow() -> None:
        await asyncio.get_running_loop().run_in_executor(thread, _follow, make, look_s, stopping)

    try:
        async with beside(follow):
            yield
    finally:
        stopping.set()
        # It ends with this look, and keeps what it knows.
        await asyncio.to_thread(thread.shutdown)


def _follow(make: Callable[[], Follower], look_s: float, stopping: threading.Event) -> None:
    told = ""
    while not stopping.is_set():
        try:
            with make() as following:
                while not stopping.is_set():
                    has_more = following.look()
                    told = ""
                    if not has_more:
                        stopping.wait(look_s)
        except (ParrotletError, *DATABASE_ERRORS) as error:
            what = str(error) if isinstance(error, ParrotletError) else f"The utterance log cannot be read ({error})."
            if what != told:
                logger.warning("What changes is not noticed now. %s", what)
            told = what
            stopping.wait(AGAIN_S)
