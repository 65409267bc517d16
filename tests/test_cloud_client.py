"""The board's client against services that behave, and services that do not."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import numpy as np
import pytest

from common.errors import CloudError, SettingsError
from edge.asking.answer import Answer, Partial
from edge.asking.cloud_channel import CallFailed, Trouble
from edge.asking.cloud_client import CloudClient
from edge.asking.cloud_stream import CloudStream
from edge.settings import Cloud
from edge.speech.turn import Completeness, Opinion
from edge.speech.utterance import EndReason, SpeechGoesOn, SpeechSeemsOver, UtteranceEnd, UtteranceFrames, UtteranceHead
from protos import speech_pb2, speech_pb2_grpc
from protos.feature_spec import DEFAULT_SPEC

WAIT_S = 20

Script = Callable[[Iterator[speech_pb2.RecognizeRequest], Any], Iterator[speech_pb2.RecognizeResponse]]

FINAL = speech_pb2.RecognizeResponse(
    final=speech_pb2.Final(
        transcript="hello",
        alternatives=[speech_pb2.Alternative(transcript="yellow", engine="stub")],
        results=[speech_pb2.SearchResult(id="a", title="A", score=1.5, action="act")],
        engine=speech_pb2.Engine(name="stub", model="1"),
        decoding_ms=7,
    )
)


class Speech(speech_pb2_grpc.SpeechServicer):
    """A service whose every attempt follows the next script; the last one again and again."""

    def __init__(self, *scripts: Script, describe: speech_pb2.DescribeResponse) -> None:
        self.scripts = list(scripts)
        self.describe = describe
        self.requests: list[list[speech_pb2.RecognizeRequest]] = []

    def Describe(self, request: speech_pb2.DescribeRequest, context: Any) -> speech_pb2.DescribeResponse:
        return self.describe

    def Recognize(
        self, request_iterator: Iterator[speech_pb2.RecognizeRequest], context: Any
    ) -> Iterator[speech_pb2.RecognizeResponse]:
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        seen: list[speech_pb2.RecognizeRequest] = []
        self.requests.append(seen)

        def kept() -> Iterator[speech_pb2.RecognizeRequest]:
            for request in request_iterator:
                seen.append(request)
                yield request

        yield from script(kept(), context)


def described(**changes: Any) -> speech_pb2.DescribeResponse:
    fields = {
        "feature_specs": [speech_pb2.FeatureSpec(fingerprint=DEFAULT_SPEC.fingerprint)],
        "codecs": [speech_pb2.CODEC_RAW],
    }
    return speech_pb2.DescribeResponse(**(fields | changes))


@contextmanager
def service(
    *scripts: Script, describe: speech_pb2.DescribeResponse | None = None, address: str = "127.0.0.1:0"
) -> Iterator[tuple[Speech, str]]:
    speech = Speech(*scripts, describe=describe or described())
    server = grpc.server(ThreadPoolExecutor(max_workers=8))
    speech_pb2_grpc.add_SpeechServicer_to_server(speech, server)
    port = server.add_insecure_port(address)
    server.start()
    try:
        yield speech, f"127.0.0.1:{port}"
    finally:
        server.stop(0).wait()


def answers(requests: Iterator[speech_pb2.RecognizeRequest], context: Any) -> Iterator[speech_pb2.RecognizeResponse]:
    for request in requests:
        if request.HasField("end"):
            yield FINAL


def refuses(code: grpc.StatusCode, sentence: str = "No.") -> Script:
    def script(requests: Iterator[speech_pb2.RecognizeRequest], context: Any) -> Iterator[speech_pb2.RecognizeResponse]:
        next(requests)
        context.abort(code, sentence)
        yield FINAL

    return script


def hangs(requests: Iterator[speech_pb2.RecognizeRequest], context: Any) -> Iterator[speech_pb2.RecognizeResponse]:
    gone = threading.Event()
    context.add_callback(gone.set)
    gone.wait(WAIT_S)
    yield from ()


def head(number: int = 0) -> UtteranceHead:
    return UtteranceHead(
        utterance_id=f"u-{number}",
        session_id="s",
        sequence_number=number,
        follows_utterance_id=None,
        started_at_unix_us=1,
        clock_synchronised=None,
        started_monotonic_s=0.0,
        stream_start_ms=0,
        vad="test",
    )


def frames(first: int, count: int = 10) -> UtteranceFrames:
    levels = np.full((count, DEFAULT_SPEC.bands), first % DEFAULT_SPEC.levels, np.int8)
    return UtteranceFrames(first, levels, np.zeros(count * 160, np.int16))


END = UtteranceEnd(
    reason=EndReason.ENDPOINT,
    duration_ms=200,
    speech_start_ms=0,
    speech_end_ms=100,
    last_sound_monotonic_s=0.0,
    ended_monotonic_s=0.0,
    level_dbfs=-20.0,
    peak_dbfs=None,
    noise_floor_dbfs=None,
    snr_db=None,
    clipped_share=0.0,
    overruns=0,
    gaps=2,
)


@contextmanager
def client(address: str, **settings: Any) -> Iterator[CloudClient]:
    with CloudClient(Cloud(address=address, **settings), device_id="kitchen") as cloud:
        yield cloud


def say(cloud: CloudClient, **callbacks: Any) -> CloudStream:
    stream = cloud.start(head(), **callbacks)
    for first in (0, 10, 20):
        stream.send(frames(first))
    stream.finish(END)
    return stream


def test_an_utterance_is_sent_whole_and_answered() -> None:
    with service(answers) as (speech, address), client(address, domain="home") as cloud:
        stream = say(cloud)
        answer = stream.answer(WAIT_S)
    assert answer.path == "cloud"
    assert answer.transcript == "hello"
    assert answer.confidence is None
    assert answer.alternatives[0].transcript == "yellow"
    assert answer.results[0].action == "act"
    assert answer.results[0].url is None
    assert answer.decoding_ms == 7
    assert stream.wire_bytes == 30 * 80
    config, *sent, end = speech.requests[0]
    assert config.config.utterance_id == "u-0"
    assert config.config.domain == "home"
    assert not config.config.HasField("language")
    assert config.config.attempt == 1
    assert [message.frames.first_frame for message in sent] == [0, 10, 20]
    assert end.end.reason == speech_pb2.END_REASON_ENDPOINT
    assert end.end.gaps == 2
    assert not end.end.HasField("snr_db")


def test_partials_come_while_the_person_speaks() -> None:
    def script(requests: Iterator[speech_pb2.RecognizeRequest], context: Any) -> Iterator[speech_pb2.RecognizeResponse]:
        for request in requests:
            if request.HasField("frames"):
                yield speech_pb2.RecognizeResponse(partial=speech_pb2.Partial(stable_text="hel", unstable_text="lo"))
            if request.HasField("end"):
                yield FINAL

    came: list[Partial] = []
    there = threading.Event()

    def on_partial(partial: Partial) -> None:
        came.append(partial)
        there.set()

    with service(script) as (_, address), client(address) as cloud:
        stream = cloud.start(head(), on_partial=on_partial)
        stream.send(frames(0))
        assert there.wait(WAIT_S)
        stream.finish(END)
        stream.answer(WAIT_S)
    assert came[0].text == "hel lo"


def test_an_earlier_endpoint_is_told_and_the_services_opinion_heard() -> None:
    def script(requests: Iterator[speech_pb2.RecognizeRequest], context: Any) -> Iterator[speech_pb2.RecognizeResponse]:
        for request in requests:
            if request.HasField("speech_seems_over"):
                end_ms = request.speech_seems_over.speech_end_ms
                turn = speech_pb2.Turn(speech_end_ms=end_ms, completeness="COMPLETENESS_UNFINISHED")
                yield speech_pb2.RecognizeResponse(turn=turn)
            if request.HasField("end"):
                yield FINAL

    opinions: list[Opinion] = []
    there = threading.Event()

    def on_turn(opinion: Opinion) -> None:
        opinions.append(opinion)
        there.set()

    with service(script) as (speech, address), client(address) as cloud:
        stream = cloud.start(head(), on_turn=on_turn)
        stream.send(frames(0))
        stream.send(SpeechSeemsOver(60))
        assert there.wait(WAIT_S)
        stream.send(SpeechGoesOn())
        stream.send(frames(10))
        stream.finish(END)
        stream.answer(WAIT_S)
    assert opinions == [Opinion("u-0", 60, Completeness.UNFINISHED)]
    kinds = [request.WhichOneof("request") for request in speech.requests[0]]
    assert kinds == ["config", "frames", "speech_seems_over", "speech_goes_on", "frames", "end"]


def test_an_attempt_that_catches_up_tells_no_earlier_endpoint_that_was_taken_back() -> None:
    with service(answers) as (speech, address), client(address) as cloud:
        stream = cloud.start(head())
        # Heard before the network's thread gets to it, as an attempt after a break hears all of it at once.
        stream.send(frames(0))
        stream.send(SpeechSeemsOver(60))
        stream.send(SpeechGoesOn())
        stream.send(frames(10))
        stream.send(SpeechSeemsOver(160))
        stream.finish(END)
        stream.answer(WAIT_S)
    kinds = [request.WhichOneof("request") for request in speech.requests[0]]
    assert kinds == ["config", "frames", "frames", "speech_seems_over", "end"]


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED])
def test_a_busy_service_is_asked_again_with_everything(code: grpc.StatusCode) -> None:
    with service(refuses(code), refuses(code), answers) as (speech, address), client(address) as cloud:
        stream = say(cloud)
        assert stream.answer(WAIT_S).transcript == "hello"
    attempts = [requests[0].config.attempt for requests in speech.requests]
    assert attempts == [1, 2, 3]
    assert [message.frames.first_frame for message in speech.requests[-1][1:-1]] == [0, 10, 20]
    assert stream.wire_bytes >= 30 * 80


def test_a_service_that_stays_busy_is_asked_until_the_time_is_up() -> None:
    script = refuses(grpc.StatusCode.RESOURCE_EXHAUSTED, "16 utterances are in work.")
    with service(script) as (speech, address), client(address, tries_max=1, answer_s_max=2) as cloud:
        started = time.monotonic()
        with pytest.raises(CloudError, match=r"RESOURCE_EXHAUSTED: 16 utterances are in work"):
            say(cloud).answer(WAIT_S)
        assert time.monotonic() - started > 1.9
    assert len(speech.requests) > 1


def test_an_utterance_that_breaks_a_service_is_not_sent_for_ever() -> None:
    with service(refuses(grpc.StatusCode.INTERNAL, "A fault.")) as (speech, address):
        with client(address, tries_max=2) as cloud, pytest.raises(CloudError, match="INTERNAL: A fault"):
            say(cloud).answer(WAIT_S)
    assert len(speech.requests) == 2


def test_a_service_that_comes_back_in_time_answers() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
    with client(address) as cloud:
        stream = say(cloud)
        with pytest.raises(CloudError, match="no answer within"):
            stream.answer(0.5)
        with service(answers, address=address):
            assert stream.answer(WAIT_S).transcript == "hello"


def test_a_service_that_speaks_otherwise_is_told_in_a_sentence() -> None:
    handler = grpc.unary_unary_rpc_method_handler(lambda request, context: b"\xff\xff")
    server = grpc.server(ThreadPoolExecutor(max_workers=1))
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("parrotlet.v1.Speech", {"Describe": handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with client(f"127.0.0.1:{port}") as cloud, pytest.raises(CloudError, match="does not speak as a Parrotlet"):
            say(cloud).answer(WAIT_S)
    finally:
        server.stop(0).wait()


def test_what_is_refused_for_good_is_not_sent_again() -> None:
    script = refuses(grpc.StatusCode.INVALID_ARGUMENT, "The client sent an empty request.")
    with service(script) as (speech, address), client(address) as cloud:
        with pytest.raises(CloudError, match="The client sent an empty request"):
            say(cloud).answer(WAIT_S)
    assert len(speech.requests) == 1


def test_a_service_that_hangs_costs_the_budget_and_no_more() -> None:
    settled: list[Answer | CloudError] = []
    with service(hangs) as (_, address), client(address, answer_s_max=0.5) as cloud:
        started = time.monotonic()
        with pytest.raises(CloudError, match="no answer within 0.5 s of the endpoint"):
            say(cloud, on_settled=settled.append).answer(WAIT_S)
        assert time.monotonic() - started < 5
    assert len(settled) == 1


def test_a_service_that_is_not_there_is_told_in_a_sentence() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        with client(address, reach_s_max=0) as cloud:
            with pytest.raises(CloudError, match=f"{address}: the service cannot be reached") as caught:
                say(cloud).answer(WAIT_S)
            with pytest.raises(CloudError, match="cannot be reached"):
                cloud.describe()
    assert "\n" not in str(caught.value)


def test_a_port_that_takes_connections_and_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with client(address, reach_s_max=0, connect_s_max=0.3) as cloud, pytest.raises(CloudError, match=address):
            say(cloud).answer(WAIT_S)


def test_another_protocol_is_told_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as web:
        address = f"127.0.0.1:{web.getsockname()[1]}"

        def answer_http() -> None:
            while True:
                try:
                    connection, _ = web.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=answer_http, daemon=True).start()
        with (
            client(address, reach_s_max=0, tries_max=1, connect_s_max=2) as cloud,
            pytest.raises(CloudError, match=address),
        ):
            say(cloud).answer(WAIT_S)
        web.shutdown(socket.SHUT_RDWR)


def test_another_grpc_service_is_told_in_a_sentence() -> None:
    server = grpc.server(ThreadPoolExecutor(max_workers=1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with client(f"127.0.0.1:{port}") as cloud, pytest.raises(CloudError, match="not a Parrotlet service"):
            say(cloud).answer(WAIT_S)
    finally:
        server.stop(0).wait()


def test_another_feature_spec_is_refused_naming_both() -> None:
    other = described(feature_specs=[speech_pb2.FeatureSpec(fingerprint="logmel25-8k-l256-00000000")])
    with service(answers, describe=other) as (speech, address), client(address) as cloud:
        with pytest.raises(CloudError, match=rf"{DEFAULT_SPEC.fingerprint}.*logmel25-8k-l256-00000000"):
            say(cloud).answer(WAIT_S)
    assert not speech.requests


def test_a_service_without_a_common_codec_is_refused() -> None:
    with service(answers, describe=described(codecs=[])) as (_, address), client(address) as cloud:
        with pytest.raises(CloudError, match="codecs"):
            say(cloud).answer(WAIT_S)


def test_the_services_preferred_codec_is_used() -> None:
    preferring = described(codecs=[speech_pb2.CODEC_DEFLATE, speech_pb2.CODEC_RAW])
    with service(answers, describe=preferring) as (speech, address), client(address) as cloud:
        stream = say(cloud)
        stream.answer(WAIT_S)
    assert speech.requests[0][0].config.codec == speech_pb2.CODEC_DEFLATE
    assert stream.wire_bytes < 30 * 80


def test_closing_gives_up_what_is_under_way_and_settles_it_once() -> None:
    settled: list[Answer | CloudError] = []
    with service(hangs) as (speech, address):
        with client(address) as cloud:
            stream = say(cloud, on_settled=settled.append)
        with pytest.raises(CloudError, match="given up"):
            stream.answer(WAIT_S)
    assert len(settled) == 1
    assert not cloud.network.alive


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nohost",
        "host:",
        ":7407",
        "host:99999",
        "host:0",
        "host:http",
        "host:²",
        " host:1",
        "http://host:1",
        "host:1\n",
    ],
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="HOST:PORT"):
        CloudClient(Cloud(address=address), device_id="kitchen")


@pytest.mark.parametrize(("somebody_speaks", "trouble"), [(False, Trouble.BROKEN), (True, Trouble.BUSY)])
def test_what_is_sent_again_stands_back_for_who_speaks_and_is_not_blamed(
    monkeypatch: pytest.MonkeyPatch, somebody_speaks: bool, trouble: Trouble
) -> None:
    with (
        service(hangs) as (speech, address),
        CloudClient(Cloud(address=address, answer_s_max=0.5), device_id="d") as client,
    ):
        description = client.description

        async def describe_while_somebody_begins_to_speak() -> speech_pb2.DescribeResponse:
            client.live(somebody_speaks)
            return await description()

        monkeypatch.setattr(client, "description", describe_while_somebody_begins_to_speak)
        sent = client.network.run(client.replay(head(), [frames(0), frames(10)], END, DEFAULT_SPEC, 101))
        with pytest.raises(CallFailed) as failed:
            sent.result(WAIT_S)
        assert failed.value.trouble is trouble
        assert len(speech.requests[0]) <= 1 + 3 * (not somebody_speaks)


def test_what_is_sent_again_says_what_the_board_answered() -> None:
    own = Answer("local", transcript="lights on")
    with service(answers) as (speech, address), client(address) as cloud:
        sent = cloud.network.run(cloud.replay(head(), [frames(0)], END, DEFAULT_SPEC, 101, local_answer=own))
        assert sent.result(WAIT_S).transcript == "hello"
    assert speech.requests[0][0].config.local_transcript == "lights on"


def test_what_has_stood_back_long_enough_goes_on_beside_who_speaks_one_at_a_time() -> None:
    seen: list[str] = []

    def notes(requests: Iterator[speech_pb2.RecognizeRequest], context: Any) -> Iterator[speech_pb2.RecognizeResponse]:
        utterance_id = ""
        for request in requests:
            if request.HasField("config"):
                utterance_id = request.config.utterance_id
                seen.append(f"begins {utterance_id}")
        # Time for another one to come in between.
        threading.Event().wait(0.1)
        seen.append(f"ends {utterance_id}")
        yield FINAL

    def sent(cloud: CloudClient, number: int, patience_s: float | None) -> Future[Answer]:
        return cloud.network.run(cloud.replay(head(number), [frames(0)], END, DEFAULT_SPEC, 101, patience_s=patience_s))

    with service(notes) as (_, address), client(address) as cloud:
        live = cloud.start(head(0))
        patient, *others = [sent(cloud, number, patience_s) for number, patience_s in ((1, None), (2, 0.01), (3, 0.0))]
        for one in others:
            assert one.result(WAIT_S).transcript == "hello"
        replayed = [line for line in seen if not line.endswith("u-0")]
        # Whichever was first: its end comes before the other's beginning.
        assert [line.split()[0] for line in replayed[:3]] == ["begins", "ends", "begins"]
        assert "begins u-1" not in seen
        live.finish(END)
        for answered in (live.answer(WAIT_S), patient.result(WAIT_S)):
            assert answered.transcript == "hello"


def test_a_service_that_ends_without_a_final_is_tried_again_so_often_and_then_breaks() -> None:
    def says_nothing(
        requests: Iterator[speech_pb2.RecognizeRequest], context: Any
    ) -> Iterator[speech_pb2.RecognizeResponse]:
        list(requests)
        yield from ()

    with (
        service(says_nothing) as (speech, address),
        CloudClient(Cloud(address=address, tries_max=2), device_id="d") as client,
    ):
        stream = client.start(head())
        stream.finish(END)
        with pytest.raises(CallFailed, match=r"ended the utterance without a final\.") as failed:
            stream.answer(WAIT_S)
        assert failed.value.trouble is Trouble.BROKEN
        assert len(speech.requests) == 2
