"""A domain that a running service understands and searches, in the version that its folder holds now."""

import asyncio
import functools
import logging
import re
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from weakref import WeakSet

from cloud.building.build import build_bundle
from cloud.building.bundle import Bundle, read_bundle
from cloud.building.domain import Domain, load_domain
from cloud.decoders import Hypothesis
from cloud.finding.heard import find
from cloud.finding.index import open_index
from cloud.finding.search import Found, found_entries
from cloud.finding.sounding import Sounding
from cloud.pronouncing.pronouncer import Pronouncer
from cloud.settings import Storage
from cloud.understanding.network import Following
from common.child import complaint
from common.errors import DomainError
from protos import speech_pb2

logger = logging.getLogger(__name__)

_WORD = re.compile(r"[\w']+")

LOOK_S = 2.0
"""How often a folder is looked at for changes."""

BUILD_S_MAX = 600.0
"""How long a domain may take to build."""


class DomainVersion:
    """One version of a domain, open. What is open stays as it is; it is closed when nobody holds it any more."""

    def __init__(self, domain: Domain, storage: Storage, thread: ThreadPoolExecutor) -> None:
        """DomainError if it cannot be built."""
        self.name = domain.name
        self.version = domain.version
        self.entries = len(domain.entries)
        self.bundle_file = build_bundle(domain, storage.bundle_dir).resolve()
        self.bundle: Bundle = read_bundle(self.bundle_file)
        self.following = Following(self.bundle.network)
        self._index = open_index(domain, storage.index_dir)
        names = self.bundle.names
        self._sounding = Sounding(names, Pronouncer(domain.lexicon)) if names else None
        self._words = _words(domain, self.bundle)
        self._thread = thread
        weakref.finalize(self, self._index.close)

    def knows_word(self, word: str) -> bool:
        """Whether a word, in lower case, is one of its sentences, or in the name of an entry."""
        return word in self._words

    async def find(self, chosen: Hypothesis, limit: int, *, explain: bool) -> tuple[list[Found], list[str]]:
        """What the domain has for an answer and its other readings, the best first; where asked for, why."""
        finding = functools.partial(find, self._index, self._sounding, chosen, limit, explain=explain)
        return await asyncio.get_running_loop().run_in_executor(self._thread, finding)

    async def entries_of(self, ids: list[str]) -> list[Found]:
        """The entries with these ids, in their order."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, found_entries, self._index, ids)

    def describe(self) -> speech_pb2.Domain:
        """The domain as the wire says it."""
        return speech_pb2.Domain(
            name=self.name, version=self.version, entries=self.entries, examples=self.bundle.examples
        )


class ServedDomain:
    """A domain, as a context manager.

    Its indexes have a thread of their own: SQLite's connections stay in it, and the event loop never waits for a disk.
    """

    def __init__(self, name_or_folder: str, storage: Storage) -> None:
        self._name_or_folder = name_or_folder
        self._storage = storage
        domain = load_domain(name_or_folder)
        self.name, self.folder = domain.name, domain.folder
        self._first: Domain | None = domain
        """What was read already, until it is open: a large one takes 110 MB."""
        self._seen = _look(self.folder)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"search-{self.name}")
        self.now: DomainVersion
        """The version that is served: whoever begins with it goes on with it."""
        self.versions: WeakSet[DomainVersion] = WeakSet()
        """That one, and those that somebody still has."""

    def __enter__(self) -> "ServedDomain":
        """DomainError if it cannot be built."""
        first, self._first = self._first or load_domain(self._name_or_folder), None
        self._serve(self._thread.submit(DomainVersion, first, self._storage, self._thread).result())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown()

    async def follow(self, look_s: float = LOOK_S) -> None:
        """Serves each new version of the folder, for ever. A broken one is told, and the old one goes on."""
        while True:
            await asyncio.sleep(look_s)
            loop = asyncio.get_running_loop()
            seen = await loop.run_in_executor(self._thread, _look, self.folder)
            if seen == self._seen:
                continue
            self._seen = seen
            try:
                await self._renew()
            except DomainError as error:
                logger.error("domain %s: version %s is served on. %s", self.name, self.now.version, error)

    async def _renew(self) -> None:
        """Builds in a process of its own, which takes no time from those who are answered; then swaps."""
        folders = (str(self._storage.bundle_dir), str(self._storage.index_dir))
        try:
            said = await complaint(
                sys.executable, "-m", "cloud.building", str(self.folder), *folders, s_max=BUILD_S_MAX
            )
        except TimeoutError as error:
            raise DomainError(f"Building it took longer than {BUILD_S_MAX:.0f} s.") from error
        if said is not None:
            raise DomainError(said or "Building it ended without a word.")
        self._serve(await asyncio.get_running_loop().run_in_executor(self._thread, self._open))
        logger.info("domain %s: %d entries, now version %s", self.name, self.now.entries, self.now.version)

    def _serve(self, version: DomainVersion) -> None:
        self.now = version
        self.versions.add(version)

    def _open(self) -> DomainVersion:
        return DomainVersion(load_domain(self._name_or_folder), self._storage, self._thread)


def _words(domain: Domain, bundle: Bundle) -> frozenset[str]:
    """In lower case, each once in the whole process."""
    named = {word for entry in domain.entries for word in _WORD.findall(entry.title.lower())}
    return frozenset(sys.intern(word) for word in named | bundle.network.words())


def _look(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """What tells whether a folder was changed, without reading it."""
    try:
        stats = [(path.name, path.stat()) for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    except OSError:
        # Being written at this moment, or gone: another look will tell.
        return ()
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)
