"""What serves, put in the place of what served before: Whisper's pool, and domains."""

import asyncio
import logging
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any

from cloud.beside import beside
from cloud.building.folder import find_folder
from cloud.changing.rollout import WHISPER, Serving, Subject
from cloud.decoders.weights import usable
from cloud.finding.served_domain import ServedDomain
from cloud.settings import CloudSettings
from cloud.workers.pool import Pool
from common.errors import DomainError, EngineError

logger = logging.getLogger(__name__)

IDLE_LOOK_S = 0.05


class Replacing:
    """Of one service, as an asynchronous context manager. One event loop's."""

    def __init__(self, settings: CloudSettings, pools: list[Pool], domains: MutableMapping[str, ServedDomain]) -> None:
        """`settings` are the owner's own; the last of the pools and the domains are replaced in place."""
        self.pools = pools
        self.domains = domains
        self._settings = settings
        self._own_entries = {find_folder(entry).name: entry for entry in settings.domains.serve}
        self._domains_open = {str(one.folder): one for one in domains.values()}
        """By their folders: what served before serves again at once."""
        self._domains_opened: list[ServedDomain] = []
        self._pools_opened: list[Pool] = []
        self._parts: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Replacing":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for part in self._parts:
            part.cancel()
        await asyncio.gather(*self._parts, return_exceptions=True)
        for pool in self._pools_opened:
            await pool.__aexit__(None, None, None)
        for domain in self._domains_opened:
            domain.__exit__(None, None, None)

    @property
    def weights_served(self) -> str | None:
        """Their name; None: no Whisper runs here."""
        ready = self.pools[-1].engine
        return ready.model if ready.engine == WHISPER else None

    @property
    def bundles(self) -> set[str]:
        """Names of the files of all that is open."""
        open_here = {one.bundle_file.name for domain in self._domains_open.values() for one in domain.versions}
        return open_here | {Path(file).name for pool in (*self.pools, *self._pools_opened) for file in pool.bundles}

    def weights(self, name: str) -> str:
        """Their folder. EngineError."""
        return str(usable(name, self._settings.storage.weights_dir))

    async def open(self, like: Pool, **changes: Any) -> Pool:
        """A pool such as that one with other options, warm. EngineError."""
        pool = await like.alike(**changes).__aenter__()
        self._pools_opened.append(pool)
        return pool

    def close(self, pool: Pool) -> None:
        """Ends a pool that nobody begins with any more, once its last utterance is done. Never waits."""
        self._begin(self._close_when_idle(pool))

    async def domain(self, entry: str) -> ServedDomain:
        """The domain in a folder, open until the service ends. DomainError."""
        folder = str(find_folder(entry))
        if folder not in self._domains_open:
            # What is not built yet is built here, which takes seconds.
            domain = ServedDomain(entry, self._settings.storage)
            self._domains_open[folder] = await asyncio.get_running_loop().run_in_executor(None, domain.__enter__)
            self._domains_opened.append(domain)
            # A candidate is a copy that nobody edits.
            if entry in self._own_entries.values():
                self._begin(_followed(domain))
        return self._domains_open[folder]

    async def serve(self, serving: Mapping[Subject, Serving]) -> None:
        """What was promoted serves, and where nothing was, what the settings say. What cannot be used is told, and what
        served before goes on."""
        model = serving.get(Subject("model", WHISPER))
        wanted = self._settings.decoding.whisper_model if model is None else model.what
        if self.weights_served not in (None, wanted):
            try:
                self.serve_pool(await self.open(self.pools[-1], weights=self.weights(wanted)))
            except EngineError as error:
                logger.error("%s serves on. %s", self.weights_served, error)
        for name, entry in self._own_entries.items():
            promoted = serving.get(Subject("domain", name))
            try:
                domain = await self.domain(entry if promoted is None else promoted.what)
            except DomainError as error:
                logger.error("domain %s: version %s serves on. %s", name, self.domains[name].now.version, error)
                continue
            if self.domains[name] is not domain:
                self.domains[name] = domain
                logger.info("domain %s: version %s serves now", name, domain.now.version)

    def serve_pool(self, pool: Pool) -> None:
        """Whisper's from now on."""
        before, self.pools[-1] = self.pools[-1], pool
        logger.info("Whisper serves with the weights %s now", self.weights_served)
        self.close(before)

    async def _close_when_idle(self, pool: Pool) -> None:
        while not pool.is_idle:
            await asyncio.sleep(IDLE_LOOK_S)
        await pool.__aexit__(None, None, None)
        if pool in self._pools_opened:
            self._pools_opened.remove(pool)

    def _begin(self, part: Any) -> None:
        task = asyncio.ensure_future(part)
        self._parts.add(task)
        task.add_done_callback(self._parts.discard)


async def _followed(domain: ServedDomain) -> None:
    async with beside(domain.follow):
        await asyncio.Event().wait()
