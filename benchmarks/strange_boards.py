"""What is tried by who has a certificate: bounds broken, connections that are slow or loud, and calls that were made
up. A board besides is answered."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from benchmarks import strange_connections, strange_messages
from benchmarks.mutants import BOARD, Call, said
from benchmarks.strange_connections import Keys, breaches
from benchmarks.strange_messages import GROWN_MIB_MAX, Line, Met, as_of, memory_of
from benchmarks.tried_service import MINUTE_US, Target, Try, channel_to
from protos import speech_pb2
from protos.enrolment_code import ENROLMENT_TLS_NAME

WAIT_S = 10.0
CODEC = speech_pb2.CODEC_CONTEXT
ROOM_S_MAX = 20.0
BOARDS = 16
"""That made-up calls come from; each may have so many a minute."""
WARM_UP_SHARE = 0.1
WARM_UP_MIN = 5000
"""After fewer calls not all decoders are there, and memory says nothing."""


def from_boards(target: Target, number: int) -> Iterator[Try]:
    """What is tried by who has a certificate, and a board besides."""
    keys = target.board(BOARD.decode())
    for breach in breaches():
        with channel_to(target.address, keys) as channel:
            yield Try(breach.what, breach.wanted, strange_connections.recognise(channel, breach.requests))
    with channel_to(target.address, keys) as channel:
        header = {"metadata": (("stranger", "x" * 100_000),)}
        request = said(CODEC).requests
        yield Try("a header of 100 kB", "RESOURCE_EXHAUSTED", strange_connections.recognise(channel, request, **header))
        with strange_connections.many_streams(channel, number):
            yield Try(f"{number} streams that say nothing, on one connection; a board besides", "OK", answered(target))
        with strange_connections.deaf(channel, number):
            yield Try(f"{number} utterances whose answers nobody reads; a board besides", "OK", answered(target))
    some = max(1, number // 10)
    for what, meanwhile in (
        ("shake hands and say nothing", strange_connections.shaken_hands),
        ("say a byte now and then", strange_connections.dripping),
        ("do nothing but ping", strange_connections.pinging),
    ):
        with meanwhile(target.address, keys, some):
            yield Try(f"{some} connections that {what}; a board besides", "OK", answered(target))


def made_up(target: Target, pid: int, made: Iterator[Call], met: Met) -> Iterator[Try]:
    """Calls that no board makes, and what is left of the service that has this process id."""
    target.authority.open_code(10 * MINUTE_US)
    with ExitStack() as opened:
        lines = [_line(target, opened, f"board-{number:02}") for number in range(BOARDS)]
        every = list(made)
        warm_up = round(len(every) * WARM_UP_SHARE)
        strange_messages.send(iter(every[:warm_up]), lines, met)
        before = memory_of(pid)
        strange_messages.send(iter(every[warm_up:]), lines, met)
        after = memory_of(pid)
        health = health_pb2_grpc.HealthStub(lines[0].speech).Check(health_pb2.HealthCheckRequest(), timeout=WAIT_S)
    for status in strange_messages.FAULTS:
        count = sum(count for (_, name), count in met.statuses.items() if name == status.name)
        yield Try(f"{len(every)} calls that were spoilt or made up: {status.name}", "0", str(count))
    same = "the same processes"
    yield Try("the service and its workers afterwards", same, same if before.keys() == after.keys() else "others")
    if warm_up >= WARM_UP_MIN:
        grown_mib = max(after[each] - before[each] for each in before.keys() & after.keys())
        bound, met_mib = f"at most {GROWN_MIB_MAX:g} MiB more", f"{grown_mib:.1f} MiB more"
        yield Try("memory of any of them", bound, bound if grown_mib <= GROWN_MIB_MAX else met_mib)
        print(f"\nMiB before and after, by process: {before}, {after}")
    serving = health_pb2.HealthCheckResponse.ServingStatus
    yield Try("health afterwards", "SERVING", serving.Name(health.status))
    yield Try("a board afterwards", "OK", answered(target))


def answered(target: Target) -> str:
    """What an utterance meets that is in order. As a board does, it is said again while there is no room: what
    strangers left open is let go within the longest silence of a client."""
    name = BOARD.decode()[:-1] + "x"
    until_s = time.monotonic() + ROOM_S_MAX
    with channel_to(target.address, target.board(name)) as channel:
        while True:
            call = as_of(said(CODEC), name, time.monotonic_ns() % 1_000_000)
            met = strange_connections.recognise(channel, call.requests)
            if met != grpc.StatusCode.RESOURCE_EXHAUSTED.name or time.monotonic() > until_s:
                return met
            time.sleep(0.5)


def _line(target: Target, opened: ExitStack, board: str) -> Line:
    shown = Keys(target.authority.pair("enrolment").certificate)
    return Line(
        board,
        opened.enter_context(channel_to(target.address, target.board(board))),
        opened.enter_context(channel_to(target.enrol_address, shown, ENROLMENT_TLS_NAME)),
    )
