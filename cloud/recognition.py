"""One utterance from frames to final: the engines side by side, the arbiter, the search.

All of it may run before the end, while a pause may or may not be the end; if speech goes on, it is thrown away.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

import msgspec

from cloud import arbiter, turn
from cloud.decoders import Hypothesis, Task
from cloud.final import final
from cloud.finding.search import Found
from cloud.finding.served_domain import DomainVersion
from cloud.partial_text import PartialText
from cloud.understanding.understand import Outcome, understand
from cloud.workers.heard import Rank
from cloud.workers.pool import Pool
from cloud.workers.pool_job import PoolBusy, PoolJob
from cloud.workers.worker_job import DecodingFailed
from protos import speech_pb2
from protos.feature_spec import FeatureSpec, Levels

logger = logging.getLogger(__name__)

RESULTS_MAX = 5

HEAD_START_S = 0.1
"""How long the engine that hears the domain's sentences has to finish before a dearer one begins: it takes a few
milliseconds, and in quiet rooms half of the orders need nobody else."""

OnPartial = Callable[[speech_pb2.Partial], None]
OnTurn = Callable[[speech_pb2.Turn], None]


class NobodyDecoded(Exception):
    """Raised when every engine failed on an utterance; says why."""


class Recogniser:
    """The engines of a service. The first pool streams: it has the partials."""

    def __init__(self, pools: list[Pool], *, answer_s_max: float) -> None:
        self.pools = pools
        self._answer_s_max = answer_s_max

    def begin(
        self,
        device_id: str,
        utterance_id: str,
        spec: FeatureSpec,
        domain: DomainVersion,
        on_partial: OnPartial,
        on_turn: OnTurn = lambda turn: None,
        *,
        replayed: bool = False,
        explain: bool = False,
    ) -> "Recognition":
        """A new utterance."""
        task = Task(device_id, utterance_id, spec, str(domain.bundle_file))
        ranks = self._ranks(domain, replayed=replayed)
        return Recognition(self.pools, ranks, task, domain, on_partial, on_turn, self._answer_s_max, explain=explain)

    def bears(self, domain: DomainVersion, *, replayed: bool = False) -> bool:
        """Whether the engine that is likely to answer can take one more utterance of that domain."""
        ranks = self._ranks(domain, replayed=replayed)
        kind = str(domain.bundle_file)
        return all(pool.bears(kind, rank) for pool, rank in zip(self.pools, ranks, strict=True) if rank != Rank.BESIDE)

    def _ranks(self, domain: DomainVersion, *, replayed: bool) -> list[Rank]:
        """Of the utterance in each pool. Where only commands are said, they are the first one's; open speech is the
        last one's."""
        if replayed:
            return [Rank.LATER for _ in self.pools]
        decides = 0 if domain.bundle.has_commands and not domain.bundle.open_speech else len(self.pools) - 1
        return [Rank.DECIDES if number == decides else Rank.BESIDE for number in range(len(self.pools))]


class Decoded(NamedTuple):
    """What the engines made of an utterance, and what was found."""

    chosen: Hypothesis
    outcome: Outcome
    found: list[Found]
    taken_at: float
    """When the chosen engine took it. All three are monotonic seconds."""
    decoded_at: float
    found_at: float


class Recognition:
    """One utterance in all engines. Must be closed."""

    def __init__(
        self,
        pools: list[Pool],
        ranks: list[Rank],
        task: Task,
        domain: DomainVersion,
        on_partial: OnPartial,
        on_turn: OnTurn,
        answer_s_max: float,
        *,
        explain: bool = False,
    ) -> None:
        self._pools = pools
        self._domain = domain
        self._explain = explain
        self._spec = task.spec
        self._on_partial = on_partial
        self._on_turn = on_turn
        self._answer_s_max = answer_s_max
        self._partial = PartialText()
        self._jobs = [pool.begin(task, self._progress, rank) for pool, rank in zip(pools, ranks, strict=True)]
        self._decoding: asyncio.Task[Decoded] | None = None
        """Runs from the end on, or from a pause that may be the end."""
        self._held: list[Levels] = []
        """Frames since that pause: silence, unless speech goes on."""

    def feed(self, levels: Levels) -> None:
        """Takes the next frames. Never waits: an engine that is behind holds up no other."""
        if self._decoding is not None:
            self._held.append(levels)
            return
        for job in self._jobs:
            job.feed(levels)

    @property
    def heard(self) -> list[Levels]:
        """What the engines were fed so far."""
        return self._jobs[0].heard.pieces

    def seems_over(self, speech_end_ms: int) -> None:
        """A pause: finishes beforehand, unless an engine is busy with others, who are at their end."""
        if self._decoding is None and all(pool.has_room for pool in self._pools):
            self._decoding = asyncio.create_task(self._decode())
            self._decoding.add_done_callback(lambda decoding: self._judge_turn(decoding, speech_end_ms))

    async def goes_on(self) -> None:
        """The pause was none: what was finished is thrown away."""
        if self._decoding is None:
            return
        # Waited for, so that nothing of it is left that could still finish a job.
        self._decoding.cancel()
        await asyncio.gather(self._decoding, return_exceptions=True)
        self._decoding = None
        for job in self._jobs:
            job.goes_on()
        held, self._held = self._held, []
        for levels in held:
            self.feed(levels)

    async def finish(self) -> speech_pb2.Final:
        """Everything was fed: the final. NobodyDecoded if there is none."""
        ended_at = time.monotonic()
        if self._decoding is None:
            self._decoding = asyncio.create_task(self._decode())
        decoded = await self._decoding
        waiting_ms = _ms(max(0.0, decoded.taken_at - ended_at))
        return final(
            decoded.chosen,
            decoded.outcome,
            decoded.found,
            self._domain.describe(),
            waiting_ms=waiting_ms,
            decoding_ms=max(0, _ms(decoded.decoded_at - ended_at) - waiting_ms),
            searching_ms=_ms(decoded.found_at - decoded.decoded_at),
            explain=self._explain,
        )

    async def close(self) -> None:
        if self._decoding is not None:
            self._decoding.cancel()
            await asyncio.gather(self._decoding, return_exceptions=True)
        for job in self._jobs:
            await job.close()

    def _judge_turn(self, decoding: "asyncio.Task[Decoded]", speech_end_ms: int) -> None:
        """Tells what the words say about the pause, if it still lasts."""
        if decoding is self._decoding and not decoding.cancelled() and decoding.exception() is None:
            decoded = decoding.result()
            completeness = turn.completeness(
                decoded.chosen,
                understood=decoded.outcome.is_command,
                open_speech=self._domain.bundle.open_speech,
            )
            self._on_turn(speech_pb2.Turn(speech_end_ms=speech_end_ms, completeness=completeness))

    async def _decode(self) -> Decoded:
        """The arbiter's choice, and what the domain has for it."""
        finishing: dict[asyncio.Task[Hypothesis], PoolJob] = {}
        hypotheses: list[Hypothesis] = []
        outcome = Outcome()
        faults: list[str] = []
        taken_at = {}
        try:
            async with asyncio.timeout(self._answer_s_max):
                async for finished in self._finish_jobs(finishing):
                    try:
                        hypothesis = finished.result()
                    except (DecodingFailed, PoolBusy) as error:
                        faults.append(str(error) or "too many utterances wait")
                        continue
                    hypotheses.append(hypothesis)
                    taken_at[hypothesis.engine] = finishing[finished].taken_at
                    outcome = self._understand(hypotheses)
                    if arbiter.decides_alone(hypothesis, outcome, has_commands=self._domain.bundle.has_commands):
                        break
        except TimeoutError:
            faults.append(f"no more than {self._answer_s_max:g} s were left")
        finally:
            for finish in finishing:
                finish.cancel()
            await asyncio.gather(*finishing, return_exceptions=True)
        if faults:
            logger.warning("an engine did not answer: %s", "; ".join(faults))
        if not hypotheses:
            raise NobodyDecoded("; ".join(faults))
        chosen = arbiter.choose(hypotheses, outcome)
        decoded_at = time.monotonic()
        # Whoever has the words, the names are those of the engine that listened for them.
        names = next((each.names for each in hypotheses if each.names), ())
        found, why = await self._find(msgspec.structs.replace(chosen, names=names), outcome)
        outcome = outcome._replace(explanation=(*outcome.explanation, *why))
        return Decoded(chosen, outcome, found, taken_at[chosen.engine], decoded_at, time.monotonic())

    async def _finish_jobs(
        self, finishing: "dict[asyncio.Task[Hypothesis], PoolJob]"
    ) -> AsyncIterator["asyncio.Task[Hypothesis]"]:
        """Each engine's task once it is done, all of them put down in `finishing`. Where the first one hears the
        domain's sentences, the others only begin if that was not enough, or took too long."""
        first, *others = self._jobs
        heard = asyncio.create_task(first.finish())
        finishing[heard] = first
        if self._domain.bundle.graph is not None:
            await asyncio.wait([heard], timeout=HEAD_START_S)
        pending = [heard]
        if heard.done():
            yield pending.pop()
        finishing |= {asyncio.create_task(job.finish()): job for job in others}
        pending += [task for task in finishing if task is not heard]
        while pending:
            await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            # Those that end together in the order of the engines.
            done = [task for task in pending if task.done()]
            pending = [task for task in pending if not task.done()]
            for task in done:
                yield task

    def _understand(self, hypotheses: list[Hypothesis]) -> Outcome:
        return understand(self._domain.following, self._domain.bundle.blocks, hypotheses)

    async def _find(self, chosen: Hypothesis, outcome: Outcome) -> tuple[list[Found], list[str]]:
        """What the domain has, and why: entries that were named by what was understood first."""
        if not chosen.transcript:
            return [], []
        named = list(outcome.understood.meaning.values.values()) if outcome.understood else []
        first = await self._domain.entries_of(named) if named else []
        others, why = await self._domain.find(chosen, RESULTS_MAX, explain=self._explain)
        ids = {entry.id for entry in first}
        why = [f"{entry.title}: it was named by what was understood." for entry in first] + why
        return (first + [entry for entry in others if entry.id not in ids])[:RESULTS_MAX], why

    def _progress(self, text: str, frames: int) -> None:
        if self._partial.update(text):
            self._on_partial(
                speech_pb2.Partial(
                    revision=self._partial.revision,
                    stable_text=" ".join(self._partial.stable),
                    unstable_text=" ".join(self._partial.unstable),
                    decoded_ms=frames * self._spec.frame_ms,
                )
            )


def _ms(seconds: float) -> int:
    return round(1000 * seconds)
