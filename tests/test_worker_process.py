"""Who goes first on the line to a worker, with a worker that is a list."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import numpy as np
import pytest

from cloud.decoders import Hypothesis, Task
from cloud.workers.heard import Heard, Rank
from cloud.workers.worker_job import PIECE_FRAMES_MAX, DecodingFailed, WorkerJob, WorkerLost
from cloud.workers.worker_line import (
    Begin,
    Done,
    Drop,
    Failed,
    Feed,
    Finish,
    FromWorker,
    Progress,
    Ready,
    ToWorker,
    pack,
)
from cloud.workers.worker_process import UNDER_WAY_MAX, WorkerProcess
from protos.feature_spec import DEFAULT_SPEC

TASK = Task("kitchen", "u1", DEFAULT_SPEC, "")
FRAME_S = 0.01
BANDS = DEFAULT_SPEC.bands

_to_worker = msgspec.msgpack.Decoder(ToWorker)


class ListedProcess:
    """A process whose input is a list and whose answers are given by the test."""

    pid, returncode = 1, None

    def __init__(self) -> None:
        self.stdin, self.stdout = self, asyncio.StreamReader()
        self.told: list[ToWorker] = []

    def write(self, data: bytes) -> None:
        self.told.append(_to_worker.decode(data[4:]))

    def kill(self) -> None:
        self.stdout.feed_eof()

    async def wait(self) -> int:
        return 0

    async def answer(self, message: FromWorker) -> None:
        self.stdout.feed_data(pack(message))
        for _ in range(5):
            await asyncio.sleep(0)


class Bench:
    """A worker and utterances in it."""

    def __init__(self) -> None:
        self.process = ListedProcess()
        self.worker = WorkerProcess(self.process, Ready("listed", "1"), 60.0)  # type: ignore[arg-type]
        self.said: list[tuple[str, int]] = []

    def begin(self, *, frames: int, rank: Rank = Rank.DECIDES, spoken_s: float = 0.0, ended: bool = False) -> WorkerJob:
        """An utterance that has been going on for `spoken_s`, and of which so many frames came."""
        heard = Heard(rank, FRAME_S)
        heard._begun_at -= spoken_s
        for _ in range(frames // 10):
            heard.add(np.zeros((10, BANDS), np.int8))
        if ended:
            heard.ended_at = 0.0
        return self.worker.begin(TASK, heard, lambda text, count: self.said.append((text, count)))

    async def next_told(self) -> ToWorker:
        """What the worker is told when it answers the oldest message."""
        fed = next(told for told in self.process.told if isinstance(told, Feed))
        self.process.told.remove(fed)
        before = len(self.process.told)
        await self.process.answer(Progress(fed.job, len(fed.levels) // BANDS, ""))
        (told,) = self.process.told[before:]
        return told


def on_a_bench(play: Callable[[Bench], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        bench = Bench()
        try:
            await play(bench)
        finally:
            await bench.worker.stop()

    asyncio.run(run())


def test_a_file_has_two_pieces_under_way_whatever_its_length() -> None:
    async def play(bench: Bench) -> None:
        bench.begin(frames=3000, ended=True)
        fed = [told for told in bench.process.told if isinstance(told, Feed)]
        assert [len(told.levels) for told in fed] == [PIECE_FRAMES_MAX * BANDS] * UNDER_WAY_MAX

    on_a_bench(play)


def test_who_speaks_is_served_before_a_file_that_came_first() -> None:
    async def play(bench: Bench) -> None:
        bench.begin(frames=3000, ended=True)
        speaks = bench.begin(frames=100, spoken_s=1.0)
        told = await bench.next_told()
        assert isinstance(told, Feed)
        assert told.job == speaks.number

    on_a_bench(play)


def test_files_advance_side_by_side() -> None:
    async def play(bench: Bench) -> None:
        files = [bench.begin(frames=1000, ended=True).number for _ in range(3)]
        turns = [told.job for told in bench.process.told if isinstance(told, Feed)]
        for _ in range(10):
            told = await bench.next_told()
            assert isinstance(told, Feed)
            turns.append(told.job)
        assert [turns.count(file) for file in files] == [4, 4, 4]

    on_a_bench(play)


def test_a_final_goes_before_words_so_far_and_what_is_sent_later_goes_last() -> None:
    async def play(bench: Bench) -> None:
        bench.begin(frames=100, spoken_s=1.0)
        bench.begin(frames=100, spoken_s=9.0, rank=Rank.LATER, ended=True)
        beside = bench.begin(frames=100, spoken_s=3.0, rank=Rank.BESIDE, ended=True)
        over = bench.begin(frames=50, spoken_s=0.5, ended=True)
        order = [await bench.next_told() for _ in range(4)]
        assert [(told.job, type(told)) for told in order] == [
            (over.number, Feed),
            (over.number, Finish),
            (beside.number, Feed),
            (beside.number, Feed),
        ]

    on_a_bench(play)


def test_what_gathers_while_the_worker_is_busy_goes_in_one_piece_with_one_partial() -> None:
    async def play(bench: Bench) -> None:
        busy = bench.begin(frames=500, ended=True)
        speaks = bench.begin(frames=50, spoken_s=0.5)
        told = await bench.next_told()
        assert (told.job, isinstance(told, Feed) and len(told.levels)) == (speaks.number, 50 * BANDS)
        assert busy.number != speaks.number

    on_a_bench(play)


def test_an_utterance_that_fails_leaves_the_line_to_the_others() -> None:
    async def play(bench: Bench) -> None:
        broken = bench.begin(frames=100, ended=True)
        other = bench.begin(frames=10, ended=True)
        await bench.process.answer(Failed(broken.number, "too loud"))
        with pytest.raises(DecodingFailed, match="too loud"):
            await broken.outcome()
        assert [told for told in bench.process.told if isinstance(told, Finish)] == [Finish(other.number)]
        await bench.process.answer(Progress(other.number, 10, "words", 0.25))
        await bench.process.answer(Done(other.number, Hypothesis("listed", "1", "words"), 0.5))
        assert (await other.outcome()).transcript == "words"
        assert (bench.said, other.worked_s) == ([("words", 10)], 0.75)

    on_a_bench(play)


def test_a_worker_that_is_gone_lets_its_utterances_know() -> None:
    async def play(bench: Bench) -> None:
        job = bench.begin(frames=10)
        bench.process.kill()
        with pytest.raises(WorkerLost):
            await job.outcome()
        assert not bench.worker.lives

    on_a_bench(play)


def test_what_nobody_wants_is_dropped_and_its_answers_are_passed_over() -> None:
    async def play(bench: Bench) -> None:
        job = bench.begin(frames=100)
        job.close()
        job.close()
        assert bench.process.told.count(Drop(job.number)) == 1
        await bench.process.answer(Progress(job.number, 50, "nobody"))
        assert (bench.said, bench.worker.load) == ([], 0)
        assert isinstance(bench.process.told[0], Begin)

    on_a_bench(play)


def test_how_far_it_is_behind_is_told_of_speech_and_not_of_files() -> None:
    async def play(bench: Bench) -> None:
        bench.begin(frames=3000, ended=True)
        assert bench.worker.lag_s() < 0.1
        bench.begin(frames=300, spoken_s=3.0)
        assert bench.worker.lag_s() == pytest.approx(3.0, abs=0.01)

    on_a_bench(play)
