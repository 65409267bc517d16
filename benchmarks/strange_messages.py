"""Calls that no board makes (benchmarks/mutants.py), many at a time, at a service that boards use: what each meets, and
what is left of the service."""

import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import grpc

from benchmarks.idle import memory_mib
from benchmarks.mutants import BOARD, METHODS, UTTERANCE, Call

AT_A_TIME = 32
WAIT_S = 20.0
FAULTS = (grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL, grpc.StatusCode.DEADLINE_EXCEEDED)
"""What nobody may be able to bring about: a fault of ours, and a call that gets no status."""
KEPT_MAX = 20
GROWN_MIB_MAX = 16.0
"""How much larger a process may be afterwards."""

_ENROLMENT = "/parrotlet.v1.Enrolment/"
_WATCH = "/grpc.health.v1.Health/Watch"
"""Never ends by itself."""


class Line(NamedTuple):
    """A board's connections."""

    board: str
    """As long as BOARD."""
    speech: grpc.Channel
    enrolment: grpc.Channel


class Met:
    """What calls met."""

    def __init__(self) -> None:
        self.statuses: Counter[tuple[str, str]] = Counter()
        """By method and status."""
        self.faults: list[str] = []
        """Calls that met what none should, as text; some of them."""
        self._lock = threading.Lock()

    def note(self, call: Call, status: grpc.StatusCode) -> None:
        with self._lock:
            self.statuses[call.path.rpartition("/")[2], status.name] += 1
            if status in FAULTS and len(self.faults) < KEPT_MAX:
                self.faults.append(f"{status.name}: {call}")
            if sys.stderr.isatty() and (count := self.statuses.total()) % 100 == 0:
                print(f"\r{count} calls, {len(self.faults)} faults", end="", file=sys.stderr, flush=True)


def send(calls: Iterator[Call], lines: Sequence[Line], met: Met) -> None:
    """Makes them, so many at a time, on these connections."""
    numbered, lock = enumerate(calls, met.statuses.total()), threading.Lock()

    def work() -> None:
        while True:
            with lock:
                some = list(islice(numbered, 8))
            if not some:
                return
            for number, call in some:
                line = lines[number % len(lines)]
                met.note(call, status_of(as_of(call, line.board, number), line))

    with ThreadPoolExecutor(AT_A_TIME) as workers:
        for working in [workers.submit(work) for _ in range(AT_A_TIME)]:
            working.result()


def as_of(call: Call, board: str, number: int) -> Call:
    """The call with who makes it, and of which utterance it is."""
    said = f"utterance-{number:06}".encode()
    requests = (each.replace(BOARD, board.encode()).replace(UTTERANCE, said) for each in call.requests)
    return Call(call.path, tuple(requests))


def status_of(call: Call, line: Line) -> grpc.StatusCode:
    """How it ends."""
    channel = line.enrolment if call.path.startswith(_ENROLMENT) else line.speech
    method = METHODS[call.path]
    kind = ("stream_" if method.client_streaming else "unary_") + ("stream" if method.server_streaming else "unary")
    begin: Any = getattr(channel, kind)(call.path)
    try:
        made = begin(iter(call.requests) if method.client_streaming else call.requests[0], timeout=WAIT_S)
        if method.server_streaming:
            for _ in made:
                if call.path == _WATCH:
                    made.cancel()
                    break
    except grpc.RpcError as error:
        code: grpc.StatusCode = error.code()
        return code
    return grpc.StatusCode.OK


def memory_of(pid: int) -> dict[int, float]:
    """MiB of the service that has this process id, and of its workers, by process ids."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {each: memory_mib(each) for each in (pid, *map(int, children))}
