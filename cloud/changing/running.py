"""Candidates in a running service: what is decided is followed, they are heard and judged, the worse are sent back.

A change is noticed within `LOOK_S`, whoever made it. Who begins with an engine or a domain goes on with it.
"""

import asyncio
import logging
import time
from collections.abc import Callable, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from types import TracebackType
from typing import NamedTuple, TypeVar

import msgspec

from cloud.building.domain import version_of
from cloud.building.folder import find_folder
from cloud.changing import judging
from cloud.changing.built import clean_built
from cloud.changing.canary import is_chosen
from cloud.changing.gate import Figure
from cloud.changing.open_candidate import OpenCandidate
from cloud.changing.replacing import Replacing
from cloud.changing.rollout import WHISPER, Rollout, Serving, Subject
from cloud.changing.rollout_store import FILE_NAME, RolloutStore
from cloud.changing.shadow import Said, Shadow
from cloud.changing.shadow_log import SqliteShadowLog
from cloud.changing.shadow_store import FILE_NAME as SHADOW_FILE_NAME
from cloud.changing.shadow_store import Comparison
from cloud.changing.told_log import ToldLog
from cloud.decoders.weights import usable
from cloud.finding.served_domain import DomainVersion, ServedDomain
from cloud.log.answer_log import AnswerLog
from cloud.log.answer_store import DATABASE_ERRORS, Key
from cloud.recognition import Recogniser
from cloud.settings import CloudSettings
from cloud.utterance import Utterance
from common.errors import DomainError, EngineError, RolloutError
from protos import speech_pb2

logger = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_S = 2.0
"""How often it is looked what was decided, and how candidates do."""

ROWS_MAX = 1000
"""Of what is known, read at a time: after a restart a long trial is read again bit by bit, beside who is answered."""

PRUNE_S = 3600.0

ITSELF = "the service"
"""Who returns a candidate that nobody returned."""


class Way(NamedTuple):
    """Who answers an utterance."""

    recogniser: Recogniser
    domain: DomainVersion
    candidates: frozenset[int] = frozenset()
    """Numbers of the rollouts whose candidates do."""


class Changing:
    """Of one service, as an asynchronous context manager. One event loop's."""

    def __init__(
        self,
        settings: CloudSettings,
        recogniser: Recogniser,
        domains: MutableMapping[str, ServedDomain],
        unix_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        """`settings` are the owner's own, see `Replacing`."""
        state_dir = settings.storage.state_dir
        self._settings = settings
        self.log = SqliteShadowLog(state_dir / SHADOW_FILE_NAME)
        self.shadow = Shadow(self.log, self._is_waited_for)
        self._file = state_dir / FILE_NAME
        self._answer_s_max = settings.decoding.answer_s_max
        self._recogniser = recogniser
        self._replacing = Replacing(settings, recogniser.pools, domains)
        self._unix_us = unix_us
        self._open: dict[int, OpenCandidate] = {}
        self._seen: int | None = None
        self._pruned_s = time.monotonic()
        self._writing: set[asyncio.Task[None]] = set()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rollouts")
        self._store: RolloutStore
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Changing":
        """RolloutError if its files cannot be used."""
        async with AsyncExitStack() as stack:
            stack.enter_context(self.log)
            stack.callback(self._thread.shutdown)
            self._store = await self._run(lambda: RolloutStore(self._file))
            stack.callback(self._store.close)
            await stack.enter_async_context(self._replacing)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*self._writing, return_exceptions=True)
        await self._stack.aclose()

    def told(self, log: AnswerLog) -> ToldLog:
        """The answers' log; what people say, and want forgotten, is told here as well, and there, whether a candidate
        agrees."""
        self.shadow.answers = log
        return ToldLog(log, self.log, self.shadow)

    def way(self, device_id: str, domain: str) -> Way:
        """Who answers what a board says to a domain."""
        way = Way(self._recogniser, self._replacing.domains[domain].now)
        for number, candidate in self._open.items():
            is_chosen_here = candidate.concerns(domain) and is_chosen(device_id, number, candidate.rollout.share)
            if is_chosen_here and candidate.may_answer:
                recogniser = candidate.canary or way.recogniser
                way = Way(recogniser, candidate.domain(way.domain), way.candidates | {number})
        return way

    def answered(self, way: Way, utterance: Utterance, final: speech_pb2.Final) -> None:
        """An utterance has the final that counts. Never waits."""
        config, end = utterance.config, utterance.end
        if not self._open or final.from_log or end is None:
            return
        key = Key(config.device_id, config.utterance_id)
        spoken_at_us = utterance.spoken_at_unix_us
        at_unix_us = self._unix_us() if spoken_at_us is None else spoken_at_us
        names = tuple(judging.slices(config, end, final))
        known = judging.at_once(final, timed=not config.replayed)
        for number, candidate in self._open.items():
            if not candidate.concerns(way.domain.name):
                continue
            one = Comparison(number, key, at_unix_us, "both", names, judging.mark(final.transcript), served=known)
            by_candidate = number in way.candidates
            if candidate.rollout.state == "canary" and not config.replayed:
                self._write(_of_canary(one, by_candidate=by_candidate))
            if not by_candidate and (hearer := candidate.hearer(way.domain)) is not None:
                self.shadow.offer(Said(key, utterance.spec, tuple(utterance.levels), final, one), hearer)

    async def follow(self, look_s: float = LOOK_S) -> None:
        """Does what is decided, and decides by the gates, for ever."""
        while True:
            try:
                await self.look()
            except (RolloutError, *DATABASE_ERRORS) as error:
                logger.error("candidates are left as they are for now. %s", error)
            await asyncio.sleep(look_s)

    async def look(self) -> None:
        """Once. RolloutError or one of DATABASE_ERRORS."""
        version = await self._run(self._store.version)
        if version != self._seen:
            await self._do_as_decided()
            self._seen = version
        for number, candidate in list(self._open.items()):
            # What is promoted has all that is decided done at once: it may be open no more.
            if number in self._open:
                await self._judge(candidate)
        await self.log.scrub()
        if time.monotonic() - self._pruned_s >= PRUNE_S:
            self._pruned_s = time.monotonic()
            await self.log.prune()
            bundles = self._replacing.bundles
            await self._run(
                lambda: clean_built(self._settings, bundles, self._store.needed("domain"), self._unix_us() / 1e6)
            )

    async def _do_as_decided(self) -> None:
        active = {rollout.number: rollout for rollout in await self._run(self._store.all_active)}
        serving = await self._run(self._store.all_serving)
        promoted = {one.rollout for one in serving.values()}
        for number in self._open.keys() - active.keys():
            self._close(number, is_promoted=number in promoted)
        await self._replacing.serve(serving)
        for rollout in active.values():
            await self._try(rollout)

    async def _try(self, rollout: Rollout) -> None:
        """A candidate as its rollout is now; one that cannot be used here is returned."""
        candidate = self._open.get(rollout.number) or OpenCandidate(rollout, self._replacing, self._answer_s_max)
        self._open[rollout.number] = candidate
        try:
            await candidate.follow(rollout)
            logger.info("%s: %s is tried: %s", rollout.subject, rollout.candidate, rollout.state)
        except RolloutError as error:
            await self._return(rollout, f"It cannot be used here. {error}", ())

    async def _judge(self, candidate: OpenCandidate) -> None:
        """Returns it where its gate says so; promotes it where that was wanted beforehand."""
        rollout = candidate.rollout
        if (ailment := candidate.ailment(time.monotonic())) is not None:
            await self._return(rollout, f"It cannot be used here. {ailment}", ())
            return
        trial = await self.log.read(lambda store: candidate.trial.read(store, ROWS_MAX))
        verdict = trial.verdict(rollout.state)
        if verdict.decision == "return":
            await self._return(rollout, verdict.why, verdict.figures)
        elif verdict.decision == "promote" and rollout.automatic:
            logger.warning("%s: %s is promoted. %s", rollout.subject, rollout.candidate, verdict.why)
            await self._run(
                lambda: self._store.promote(
                    rollout.subject, who=ITSELF, why=verdict.why, figures=verdict.figures, number=rollout.number
                )
            )
            await self._do_as_decided()

    async def _return(self, rollout: Rollout, why: str, figures: Sequence[Figure]) -> None:
        logger.warning("%s: %s is returned. %s", rollout.subject, rollout.candidate, why)
        await self._run(lambda: self._store.give_back(rollout.number, who=ITSELF, why=why, figures=figures))
        self._close(rollout.number, is_promoted=False)

    def _close(self, number: int, *, is_promoted: bool) -> None:
        candidate = self._open.pop(number)
        if is_promoted and candidate.canary_pool is not None:
            self._replacing.serve_pool(candidate.canary_pool)
        self.shadow.drop(number)
        candidate.close(is_promoted=is_promoted)

    def _is_waited_for(self) -> bool:
        canaries = [one.canary_pool for one in self._open.values() if one.canary_pool is not None]
        return any(pool.is_waited_for for pool in (*self._recogniser.pools, *canaries))

    def _write(self, comparison: Comparison) -> None:
        task = asyncio.create_task(self.log.put(comparison))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _run(self, do: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, do)


def _of_canary(one: Comparison, *, by_candidate: bool) -> Comparison:
    """What is known of an answer of one of two groups."""
    if by_candidate:
        empty = type(one.served)()
        return msgspec.structs.replace(one, by="candidate", candidate=one.served, served=empty)
    return msgspec.structs.replace(one, by="served")


def served_settings(settings: CloudSettings) -> CloudSettings:
    """The settings with what was promoted in the place of what they say. What cannot be used is told, and left."""
    file = settings.storage.state_dir / FILE_NAME
    if not file.exists():
        return settings
    try:
        store = RolloutStore(file)
        try:
            serving = store.all_serving()
        finally:
            store.close()
    except RolloutError as error:
        logger.error("what was promoted is not known, so the settings count. %s", error)
        return settings
    decoding, domains = settings.decoding, settings.domains
    if (model := serving.get(Subject("model", WHISPER))) is not None and decoding.whisper:
        try:
            usable(model.what, settings.storage.weights_dir)
            decoding = msgspec.structs.replace(decoding, whisper_model=model.what)
        except EngineError as error:
            logger.error("%s was promoted, and %s serves. %s", model.what, decoding.whisper_model, error)
    domains = msgspec.structs.replace(domains, serve=tuple(_promoted(entry, serving) for entry in domains.serve))
    return msgspec.structs.replace(settings, decoding=decoding, domains=domains)


def _promoted(entry: str, serving: dict[Subject, Serving]) -> str:
    try:
        promoted = serving.get(Subject("domain", find_folder(entry).name))
        if promoted is None:
            return entry
        if version_of(find_folder(promoted.what)) != promoted.version:
            raise DomainError(f"{promoted.what}: is not version {promoted.version} any more, which was promoted.")
        return promoted.what
    except DomainError as error:
        logger.error("%s serves as the settings have it. %s", entry, error)
        return entry
