"""A worker's side of the line, with an engine that is made for it."""

import io
from collections.abc import Iterator

import numpy as np
import pytest

from cloud.decoders import Hypothesis, Task
from cloud.workers.worker import serve
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
from cloud.workers.worker_line import _from_worker as from_worker
from protos.feature_spec import DEFAULT_SPEC, Levels

TASK = Task("kitchen", "u1", DEFAULT_SPEC, "")


class Counting:
    """An engine that says how many frames it got, and cannot stand level 31."""

    name, model = "counting", "1"

    def __init__(self) -> None:
        self.closed = 0

    def begin(self, task: Task) -> "Counted":
        return Counted(self)


class Counted:
    def __init__(self, engine: Counting) -> None:
        self._engine = engine
        self._frames = 0

    def feed(self, levels: Levels) -> str:
        if levels.max() == 31:
            raise RuntimeError("too loud")
        self._frames += len(levels)
        return str(self._frames)

    def finish(self) -> Hypothesis:
        return Hypothesis("counting", "1", str(self._frames))

    def close(self) -> None:
        self._engine.closed += 1


def frames(count: int, level: int = 0) -> bytes:
    return np.full((count, DEFAULT_SPEC.bands), level, np.int8).tobytes()


def answers(*messages: ToWorker) -> tuple[list[FromWorker], Counting]:
    engine, replies = Counting(), io.BytesIO()
    serve(engine, io.BytesIO(b"".join(map(pack, messages))), replies, clock=lambda: 0.0)
    return list(unpacked(replies.getvalue())), engine


def unpacked(data: bytes) -> Iterator[FromWorker]:
    while data:
        end = 4 + int.from_bytes(data[:4], "little")
        yield from_worker.decode(data[4:end])
        data = data[end:]


def test_jobs_interleave_and_each_is_closed_once() -> None:
    said, engine = answers(
        Begin(1, TASK), Begin(2, TASK), Feed(1, frames(3)), Feed(2, frames(5)), Feed(1, frames(4)), Finish(2), Finish(1)
    )
    assert said == [
        Ready("counting", "1"),
        Progress(1, 3, "3"),
        Progress(2, 5, "5"),
        Progress(1, 4, "7"),
        Done(2, Hypothesis("counting", "1", "5")),
        Done(1, Hypothesis("counting", "1", "7")),
    ]
    assert engine.closed == 2


def test_frames_that_an_engine_cannot_stand_fail_their_utterance_only() -> None:
    said, engine = answers(
        Begin(1, TASK), Begin(2, TASK), Feed(1, frames(1, level=31)), Feed(1, frames(1)), Finish(1), Finish(2)
    )
    assert said[1:] == [Failed(1, "counting: too loud"), Done(2, Hypothesis("counting", "1", "0"))]
    assert engine.closed == 2


def test_a_dropped_job_is_closed_and_says_nothing() -> None:
    said, engine = answers(Begin(1, TASK), Drop(1), Finish(1), Feed(9, frames(1)))
    assert said == [Ready("counting", "1")]
    assert engine.closed == 1


@pytest.mark.parametrize("arrived", [0, 3, 9])
def test_it_ends_when_the_service_is_gone_in_the_middle_of_a_message(arrived: int) -> None:
    replies = io.BytesIO()
    serve(Counting(), io.BytesIO(pack(Begin(1, TASK))[:arrived]), replies)
    assert list(unpacked(replies.getvalue())) == [Ready("counting", "1")]
