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
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from benchmarks import strange_connections
from benchmarks.mutants import calls
from benchmarks.strange_boards import from_boards, made_up
from benchmarks.strange_connections import Keys, status_of
from benchmarks.strange_messages import Met
from benchmarks.tried_service import MINUTE_US, Target, Try, channel_to, own_service
from cloud.keys.authority import DAY_US, Authority, unix_us
from cloud.keys.pki_folder import create
from common.addresses import Address
from common.errors import IdentityError
from edge.keys import signing_request
from edge.keys.enrol import enrol
from protos import enrolment_pb2, speech_pb2
from protos.enrolment_code import ENROLMENT_TLS_NAME, SERVICE_TLS_NAME
from protos.feature_spec import DEFAULT_SPEC

WAIT_S = 10.0


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


def all_tries(target: Target, connections: int) -> Iterator[Try]:
    """One after the other."""
    yield from at_the_service(target)
    yield from at_enrolment(target)
    for nonsense in (b"", b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 8):
        said = f"say {nonsense[:5]!r}" if nonsense else "say nothing"
        with many_connections(target.address, connections, nonsense):
            yield Try(f"{connections} connections that {said}; a board besides", "OK", describe(target, target.board()))
    yield Try("nobody; a board afterwards", "OK", describe(target, target.board()))


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
    with channel_to(address or target.address, keys, name) as channel:
        ask = channel.unary_unary(
            "/parrotlet.v1.Speech/Describe",
            request_serializer=speech_pb2.DescribeRequest.SerializeToString,
            response_deserializer=speech_pb2.DescribeResponse.FromString,
        )
        return status_of(lambda: ask(speech_pb2.DescribeRequest(), timeout=WAIT_S))


def recognise(target: Target, keys: Keys, device_id: str) -> str:
    """What an utterance in that name meets."""
    config = speech_pb2.UtteranceConfig(
        device_id=device_id,
        utterance_id="u",
        feature_spec_fingerprint=DEFAULT_SPEC.fingerprint,
        codec=speech_pb2.CODEC_RAW,
        attempt=1,
    )
    with channel_to(target.address, keys) as channel:
        request = speech_pb2.RecognizeRequest(config=config)
        return strange_connections.recognise(channel, [request.SerializeToString()])


def revoked(target: Target) -> str:
    """How long a stream goes on after its board was revoked, as the command does it."""
    keys, over = target.board("attic"), threading.Event()

    def speaking() -> Iterator[bytes]:
        over.wait(WAIT_S)
        yield from ()

    with channel_to(target.address, keys) as channel:
        call = strange_connections.begun(channel, speaking())
        threading.Timer(0.2, lambda: Authority(target.authority.directory).revoke("attic")).start()
        started_s = time.monotonic()
        met = status_of(lambda: list(call))
        late_s = time.monotonic() - started_s - 0.2
        over.set()
    return f"{met} within 2 s" if late_s < 2 else f"{met} after {late_s:.1f} s"


def guess(target: Target, number: int) -> str:
    """What somebody meets who speaks the protocol, and guesses."""
    made = signing_request.new_request("me").request
    request = enrolment_pb2.EnrolRequest(secret=f"{number:011}", signing_request=made, device_id="me")
    keys = Keys(target.authority.pair("enrolment").certificate)
    with channel_to(target.enrol_address, keys, ENROLMENT_TLS_NAME) as channel:
        ask = channel.unary_unary(
            "/parrotlet.v1.Enrolment/Enrol",
            request_serializer=enrolment_pb2.EnrolRequest.SerializeToString,
            response_deserializer=enrolment_pb2.EnrolResponse.FromString,
        )
        return status_of(lambda: ask(request, timeout=WAIT_S))


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
