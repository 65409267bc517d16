"""One utterance from frames to final: the engines side by side, the arbiter, the search."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection

from cloud import arbiter
from cloud.decoders import Hypothesis, Task
from cloud.partial_text import PartialText
from cloud.pool import Pool, PoolBusy
from cloud.search import Found
from cloud.served_domain import ServedDomain
from cloud.worker_process import DecodingFailed
from common import VERSION
from protos import speech_pb2
from protos.feature_spec import FeatureSpec, Levels

logger = logging.getLogger(__name__)

RESULTS_MAX = 5

OnPartial = Callable[[speech_pb2.Partial], None]


class NobodyDecoded(Exception):
    """Raised when every engine failed on an utterance; says why."""


class Recogniser:
    """The engines of a service. The first pool streams: it has the partials."""

    def __init__(self, pools: list[Pool], *, answer_s_max: float) -> None:
        self.pools = pools
        self._answer_s_max = answer_s_max

    def begin(self, device_id: str, spec: FeatureSpec, served: ServedDomain, on_partial: OnPartial) -> "Recognition":
        """A new utterance."""
        task = Task(device_id, spec, str(served.domain.folder))
        return Recognition(self.pools, task, served, on_partial, self._answer_s_max)


class Recognition:
    """One utterance in all engines. Must be closed."""

    def __init__(
        self, pools: list[Pool], task: Task, served: ServedDomain, on_partial: OnPartial, answer_s_max: float
    ) -> None:
        self._served = served
        self._spec = task.spec
        self._on_partial = on_partial
        self._answer_s_max = answer_s_max
        self._partial = PartialText()
        self._jobs = [pool.begin(task, self._progress) for pool in pools]

    def feed(self, levels: Levels) -> None:
        """Takes the next frames. Never waits: an engine that is behind holds up no other."""
        for job in self._jobs:
            job.feed(levels)

    async def finish(self) -> speech_pb2.Final:
        """Everything was fed: the final. NobodyDecoded if there is none."""
        ended_at = time.monotonic()
        chosen, waiting_ms = await self._decode(ended_at)
        decoded_at = time.monotonic()
        found = await self._served.search(chosen.transcript, RESULTS_MAX) if chosen.transcript else []
        return _final(
            chosen,
            found,
            self._served.describe(),
            waiting_ms=waiting_ms,
            decoding_ms=max(0, _ms(decoded_at - ended_at) - waiting_ms),
            searching_ms=_ms(time.monotonic() - decoded_at),
        )

    async def close(self) -> None:
        for job in self._jobs:
            await job.close()

    async def _decode(self, ended_at: float) -> tuple[Hypothesis, int]:
        """The arbiter's choice, and how long its engine made it wait."""
        finishing = {asyncio.create_task(job.finish()): job for job in self._jobs}
        hypotheses: list[Hypothesis] = []
        faults: list[str] = []
        waits = {}
        try:
            async with asyncio.timeout(self._answer_s_max):
                async for finished in _as_they_end(finishing):
                    try:
                        hypothesis = finished.result()
                    except (DecodingFailed, PoolBusy) as error:
                        faults.append(str(error) or "too many utterances wait")
                        continue
                    hypotheses.append(hypothesis)
                    waits[hypothesis.engine] = _ms(max(0.0, finishing[finished].taken_at - ended_at))
                    if arbiter.decides_alone(hypothesis, under_grammar=self._served.has_grammar):
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
        chosen = arbiter.choose(hypotheses)
        return chosen, waits[chosen.engine]

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


async def _as_they_end(tasks: Collection["asyncio.Task[Hypothesis]"]) -> AsyncIterator["asyncio.Task[Hypothesis]"]:
    """Each task once it is done; those that end together in the order given."""
    pending = list(tasks)
    while pending:
        await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        done = [task for task in pending if task.done()]
        pending = [task for task in pending if not task.done()]
        for task in done:
            yield task


def _final(
    chosen: Hypothesis,
    found: list[Found],
    domain: speech_pb2.Domain,
    *,
    waiting_ms: int,
    decoding_ms: int,
    searching_ms: int,
) -> speech_pb2.Final:
    return speech_pb2.Final(
        transcript=chosen.transcript,
        confidence=chosen.confidence,
        alternatives=[
            speech_pb2.Alternative(transcript=other.transcript, confidence=other.confidence, engine=other.engine)
            for other in chosen.alternatives[:10]
        ],
        words=[
            speech_pb2.Word(text=word.text, start_ms=word.start_ms, end_ms=word.end_ms, confidence=word.confidence)
            for word in chosen.words
        ],
        results=[
            speech_pb2.SearchResult(
                id=hit.id, title=hit.title, snippet=hit.snippet, score=hit.score, url=hit.url, action=hit.action
            )
            for hit in found
        ],
        engine=speech_pb2.Engine(name=chosen.engine, model=chosen.model),
        domain=domain,
        service_version=VERSION,
        waiting_ms=waiting_ms,
        decoding_ms=decoding_ms,
        searching_ms=searching_ms,
    )


def _ms(seconds: float) -> int:
    return round(1000 * seconds)
