"""A domain that a running service searches."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from cloud.decoders.sphinx_kind import GRAMMAR
from cloud.finding.domain import Domain, load_domain
from cloud.finding.index import open_index
from cloud.finding.search import Found, search
from protos import speech_pb2


class ServedDomain:
    """A domain with its index open, as a context manager.

    The index has a thread of its own: SQLite's connection stays in it, and the event loop never waits for a disk.
    """

    def __init__(self, name_or_folder: str, index_dir: Path) -> None:
        self.domain: Domain = load_domain(name_or_folder)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"search-{self.domain.name}")
        self._index_dir = index_dir
        self.has_grammar = (self.domain.folder / GRAMMAR).exists()
        """Its queries are sentences of a grammar."""

    def __enter__(self) -> "ServedDomain":
        """DomainError if the index cannot be built."""
        self._index = self._thread.submit(open_index, self.domain, self._index_dir).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.submit(self._index.close).result()
        self._thread.shutdown()

    async def search(self, query: str, limit: int) -> list[Found]:
        """What the domain has for a transcript, the best first."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, search, self._index, query, limit)

    def describe(self) -> speech_pb2.Domain:
        """The domain as the wire says it."""
        return speech_pb2.Domain(name=self.domain.name, version=self.domain.version, entries=len(self.domain.entries))
