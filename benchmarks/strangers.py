"""What strangers try at a service's ports, and what each of them meets.

    scripts/strangers
    scripts/strangers --messages 100000

A service of its own, with real engines; what must be refused is counted as kept only if it is refused in the right way
and a board that enrolled is answered afterwards.
"""

import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import click
import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from benchmarks import path, strange_connections, strange_messages
from benchmarks.mutants import BOARD, Call, calls, said
from benchmarks.strange_connections import Keys, breaches
from benchmarks.strange_messages import GROWN_MIB_MAX, Line, Met, as_of, memory_of
from cloud.keys import certificates
from cloud.keys.authority import DAY_US, Authority, unix_us
from cloud.keys.pki_folder import create
from common.addresses import Address, parse_address
from common.errors import IdentityError
from edge.keys import signing_request
from edge.keys.enrol import enrol
from protos import enrolment_pb2, speech_pb2
from protos.enrolment_code import ENROLMENT_TLS_NAME, SERVICE_TLS_NAME
from protos.feature_spec import DEFAULT_SPEC

CODEC = speech_pb2.CODEC_CONTEXT
WAIT_S = 10.0
MINUTE_US = 60_000_000
BOARDS = 16
"""That made-up calls come from; each may have so many a minute."""
STREAMS_MAX = "8"
"""Few decoders, so that all are there before memory is looked at."""
WARM_UP_SHARE = 0.1
WARM_UP_MIN = 5000
"""After fewer calls not all decoders are there, and memory says nothing."""


class Target(NamedTuple):
    """A service to try, whose folder of keys is at hand."""

    address: Address
    enrol_address: Address
    authority: Authority

    def board(self, name: str = "kitchen") -> Keys:
        """One that enrolled, without the way there."""
        made = signing_request.new_request(name)
        code = self.authority.open_code(MINUTE_US, name)
        issued = self.authority.enrol(code.secret, made.request, name)
        return Keys(self.authority.trusted(), made.key.encode(), issued.certificate)

    def stranger(self, authority: Authority, expires_at_us: int) -> Keys:
        """Whom an authority has certified as kitchen without a code."""
        made = signing_request.new_request("kitchen")
        key = certificates.requested_key(made.request)
        certificate = certificates.new_board(authority.pair("authority"), "kitchen", key, unix_us(), expires_at_us)
        return Keys(self.authority.trusted(), made.key.encode(), certificate)


class Try(NamedTuple):
    """What somebody tried."""

    what: str
    wanted: str
    met: str


@click.command()
@click.option("--connections", default=1000, show_default=True, help="That say nothing, or nonsense.")
@click.option("--messages", default=2000, show_default=True, help="Calls that were spoilt or made up.")
@click.option("--seed", default=1, show_default=True, help="Of these; the same gives the same.")
def main(connections: int, messages: int, seed: int) -> None:
    """Try what strangers try; exit status 1 if any of it was not refused as it should be."""
    met = Met()
    with tempfile.TemporaryDirectory() as folder, own_service(Path(folder)) as (target, service):
        tries = list(_told(all_tries(target, connections)))
        tries += _told(from_boards(target, connections))
        tries += _told(made_up(target, service.process.pid, calls(messages, seed), met))
    print("\n| stranger | should meet | met |\n|---|---|---|")
    for each in tries:
        print(f"| {each.what} | {each.wanted} | {each.met} |")
    print("\n| method | status | calls |\n|---|---|---|")
    for (method, status), count in sorted(met.statuses.items()):
        print(f"| {method} | {status} | {count} |")
    print("\n".join(met.faults))
    sys.exit(any(each.met != each.wanted for each in tries))


@contextmanager
def own_service(folder: Path) -> Iterator[tuple[Target, path.Service]]:
    """A service with pocketsphinx, closed by an authority of its own."""
    authority = create(folder / "pki", [])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings = {"server_enrol_listen": f"127.0.0.1:{port}", "server_streams_max": STREAMS_MAX}
    with path.service(folder, decoding_whisper="false", **settings) as service:
        address = parse_address(service.address, called="address", port_min=1)
        yield Target(address, Address("127.0.0.1", port), authority), service


def all_tries(target: Target, connections: int) -> Iterator[Try]:
    """One after the other."""
    yield from at_the_service(target)
    yield from at_enrolment(target)
    for nonsense in (b"", b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 8):
        said = f"say {nonsense[:5]!r}" if nonsense else "say nothing"
        with many_connections(target.address, connections, nonsense):
            yield Try(f"{connections} connections that {said}; a board besides", "OK", describe(target, target.board()))
    yield Try("nobody; a board afterwards", "OK", describe(target, target.board()))


def from_boards(target: Target, number: int) -> Iterator[Try]:
    """What is tried by who has a certificate, and a board besides."""
    keys = target.board(BOARD.decode())
    for breach in breaches():
        with _channel(target.address, keys) as channel:
            yield Try(breach.what, breach.wanted, strange_connections.recognise(channel, breach.requests))
    with _channel(target.address, keys) as channel:
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
    """What an utterance meets that is in order."""
    name = BOARD.decode()[:-1] + "x"
    call = as_of(said(CODEC), name, time.monotonic_ns() % 1_000_000)
    with _channel(target.address, target.board(name)) as channel:
        return strange_connections.recognise(channel, call.requests)


def at_the_service(target: Target) -> Iterator[Try]:
    """Its port, with certificates that are none."""
    year_us = unix_us() + 365 * DAY_US
    with tempfile.TemporaryDirectory() as folder:
        other = create(Path(folder) / "pki", [])
        yield Try("plain text", "UNAVAILABLE", describe(target, None))
        yield Try("no certificate", "UNAVAILABLE", describe(target, Keys(target.authority.trusted())))
        yield Try("another authority", "UNAVAILABLE", describe(target, target.stranger(other, year_us)))
    yield Try("expired", "UNAVAILABLE", describe(target, target.stranger(target.authority, 1)))
    target.board("kitchen")
    before = target.board("bedroom")
    target.board("bedroom")
    yield Try("a board that another one replaced", "UNAUTHENTICATED", describe(target, before))
    yield Try("another board's id", "PERMISSION_DENIED", recognise(target, target.board("hall"), "kitchen"))
    yield Try("revoked while it speaks", "UNAUTHENTICATED within 2 s", revoked(target))


def at_enrolment(target: Target) -> Iterator[Try]:
    """The port that asks for no certificate."""
    code = target.authority.open_code(MINUTE_US)
    enrol(target.enrol_address, code, "porch")
    yield Try("a code that was used", "refused", _refused(lambda: enrol(target.enrol_address, code, "me")))
    with tempfile.TemporaryDirectory() as folder:
        elsewhere = create(Path(folder) / "pki", []).open_code(MINUTE_US)
        yield Try(
            "a code of another service", "refused", _refused(lambda: enrol(target.enrol_address, elsewhere, "me"))
        )
    target.authority.open_code(MINUTE_US)
    told = [guess(target, number) for number in range(20)]
    yield Try("20 guesses in a row", "0 let in, the last told to wait", f"{told.count('OK')} let in, {_last(told)}")
    keys = Keys(target.authority.pair("enrolment").certificate)
    met = describe(target, keys, target.enrol_address, ENROLMENT_TLS_NAME)
    yield Try("speech at the port of enrolment", "UNIMPLEMENTED", met)


def describe(target: Target, keys: Keys | None, address: Address | None = None, name: str = SERVICE_TLS_NAME) -> str:
    """What Describe meets."""
    with _channel(address or target.address, keys, name) as channel:
        ask = channel.unary_unary(
            "/parrotlet.v1.Speech/Describe",
            request_serializer=speech_pb2.DescribeRequest.SerializeToString,
            response_deserializer=speech_pb2.DescribeResponse.FromString,
        )
        return _status(lambda: ask(speech_pb2.DescribeRequest(), timeout=WAIT_S))


def recognise(target: Target, keys: Keys, device_id: str) -> str:
    """What an utterance in that name meets."""
    config = speech_pb2.UtteranceConfig(
        device_id=device_id,
        utterance_id="u",
        feature_spec_fingerprint=DEFAULT_SPEC.fingerprint,
        codec=speech_pb2.CODEC_RAW,
        attempt=1,
    )
    with _channel(target.address, keys) as channel:
        return _status(lambda: list(_recognize(channel)(iter([speech_pb2.RecognizeRequest(config=config)]), WAIT_S)))


def revoked(target: Target) -> str:
    """How long a stream goes on after its board was revoked, as the command does it."""
    keys, over = target.board("attic"), threading.Event()

    def speaking() -> Iterator[speech_pb2.RecognizeRequest]:
        over.wait(WAIT_S)
        yield from ()

    with _channel(target.address, keys) as channel:
        call = _recognize(channel)(speaking(), WAIT_S)
        threading.Timer(0.2, lambda: Authority(target.authority.directory).revoke("attic")).start()
        started_s = time.monotonic()
        met = _status(lambda: list(call))
        late_s = time.monotonic() - started_s - 0.2
        over.set()
    return f"{met} within 2 s" if late_s < 2 else f"{met} after {late_s:.1f} s"


def guess(target: Target, number: int) -> str:
    """What somebody meets who speaks the protocol, and guesses."""
    made = signing_request.new_request("me").request
    request = enrolment_pb2.EnrolRequest(secret=f"{number:011}", signing_request=made, device_id="me")
    keys = Keys(target.authority.pair("enrolment").certificate)
    with _channel(target.enrol_address, keys, ENROLMENT_TLS_NAME) as channel:
        ask = channel.unary_unary(
            "/parrotlet.v1.Enrolment/Enrol",
            request_serializer=enrolment_pb2.EnrolRequest.SerializeToString,
            response_deserializer=enrolment_pb2.EnrolResponse.FromString,
        )
        return _status(lambda: ask(request, timeout=WAIT_S))


@contextmanager
def many_connections(address: Address, number: int, say: bytes) -> Iterator[None]:
    """So many at a time, meanwhile."""
    with ExitStack() as opened:
        for _ in range(number):
            connection = opened.enter_context(socket.create_connection((address.host, address.port), WAIT_S))
            try:
                connection.sendall(say)
            except OSError:  # It hung up, as it may.
                continue
        yield


@contextmanager
def _channel(address: Address, keys: Keys | None, name: str = SERVICE_TLS_NAME) -> Iterator[grpc.Channel]:
    options = (("grpc.ssl_target_name_override", name), ("grpc.use_local_subchannel_pool", 1))
    opened = (
        grpc.insecure_channel(str(address), options=options[1:])
        if keys is None
        else grpc.secure_channel(str(address), grpc.ssl_channel_credentials(*keys), options=options)
    )
    with opened as channel:
        yield channel


def _line(target: Target, opened: ExitStack, board: str) -> Line:
    shown = Keys(target.authority.pair("enrolment").certificate)
    return Line(
        board,
        opened.enter_context(_channel(target.address, target.board(board))),
        opened.enter_context(_channel(target.enrol_address, shown, ENROLMENT_TLS_NAME)),
    )


def _recognize(channel: grpc.Channel) -> Callable[[Iterator[speech_pb2.RecognizeRequest], float], Iterable[object]]:
    return channel.stream_stream(
        "/parrotlet.v1.Speech/Recognize",
        request_serializer=speech_pb2.RecognizeRequest.SerializeToString,
        response_deserializer=speech_pb2.RecognizeResponse.FromString,
    )


def _status(call: Callable[[], object]) -> str:
    try:
        call()
    except grpc.RpcError as error:
        code: grpc.StatusCode = error.code()
        return code.name
    return "OK"


def _refused(enrolling: Callable[[], object]) -> str:
    try:
        enrolling()
    except IdentityError:
        return "refused"
    return "let in"


def _last(told: list[str]) -> str:
    return "the last told to wait" if told[-1] == "RESOURCE_EXHAUSTED" else f"the last told {told[-1]}"


def _told(tries: Iterator[Try]) -> Iterator[Try]:
    for each in tries:
        if sys.stderr.isatty():
            print(f"\r{each.what:<78}", end="", file=sys.stderr, flush=True)
        yield each
    if sys.stderr.isatty():
        print(f"\r{'':<78}\r", end="", file=sys.stderr)


if __name__ == "__main__":
    main()
