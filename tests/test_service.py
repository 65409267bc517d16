"""The service as a stranger's client meets it: over a real port, with real engines."""

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import soundfile
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from benchmarks import path
from benchmarks.tried_service import channel_to, own_service
from edge.speech.log_mel import log_mel
from protos import codec, speech_pb2, speech_pb2_grpc
from protos.feature_spec import DEFAULT_SPEC, Levels
from tests.conftest import SPEECH_FOLDER, Built

WAIT_S = 30


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, built: Built) -> Iterator[path.Service]:
    with path.service(
        built(tmp_path_factory.mktemp("state")),
        decoding_whisper="false",
        server_idle_s_max="1",
        server_streams_per_device_max="2",
    ) as running:
        yield running


@pytest.fixture
def stub(service: path.Service) -> Iterator[speech_pb2_grpc.SpeechStub]:
    with grpc.insecure_channel(service.address) as channel:
        yield speech_pb2_grpc.SpeechStub(channel)


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory, built: Built) -> Iterator[speech_pb2_grpc.SpeechStub]:
    """A service that waits longer for a client than a busy machine takes to decode."""
    with path.service(
        built(tmp_path_factory.mktemp("patient")), decoding_whisper="false", server_streams_per_device_max="2"
    ) as running:
        with grpc.insecure_channel(running.address) as channel:
            yield speech_pb2_grpc.SpeechStub(channel)


def spoken(name: str) -> Any:
    """Samples of one of the committed sentences."""
    return soundfile.read(SPEECH_FOLDER / f"{name}.flac", dtype="int16")[0]


def levels(samples: Any = None) -> Levels:
    return DEFAULT_SPEC.quantise(log_mel(np.zeros(16_000, np.int16) if samples is None else samples, DEFAULT_SPEC))


def config(utterance_id: str, **changes: Any) -> speech_pb2.RecognizeRequest:
    fields = {
        "utterance_id": utterance_id,
        "device_id": "kitchen",
        "feature_spec_fingerprint": DEFAULT_SPEC.fingerprint,
        "codec": speech_pb2.CODEC_DEFLATE,
        "attempt": 1,
    }
    return speech_pb2.RecognizeRequest(config=speech_pb2.UtteranceConfig(**(fields | changes)))


def frames(all_levels: Levels) -> Iterator[speech_pb2.RecognizeRequest]:
    encoder = codec.encoder(speech_pb2.CODEC_DEFLATE, DEFAULT_SPEC)
    for first in range(0, len(all_levels), 10):
        piece = all_levels[first : first + 10]
        message = speech_pb2.Frames(first_frame=first, frame_count=len(piece), data=encoder.encode(piece))
        yield speech_pb2.RecognizeRequest(frames=message)


END = speech_pb2.RecognizeRequest(end=speech_pb2.UtteranceEnd(reason="END_REASON_ENDPOINT"))


def utterance(utterance_id: str, all_levels: Levels, **changes: Any) -> Iterator[speech_pb2.RecognizeRequest]:
    yield config(utterance_id, **changes)
    yield from frames(all_levels)
    yield END


SEEMS_OVER = speech_pb2.RecognizeRequest(speech_seems_over=speech_pb2.SpeechSeemsOver(speech_end_ms=1000))
GOES_ON = speech_pb2.RecognizeRequest(speech_goes_on=speech_pb2.SpeechGoesOn())


class Held:
    """Requests that come when the test says so."""

    def __init__(
        self, *requests: speech_pb2.RecognizeRequest, rest: Sequence[speech_pb2.RecognizeRequest] = (END,)
    ) -> None:
        self._requests = requests
        self._rest = rest
        self._go = threading.Event()

    def __iter__(self) -> Iterator[speech_pb2.RecognizeRequest]:
        yield from self._requests
        self._go.wait(WAIT_S)
        yield from self._rest

    def release(self) -> None:
        self._go.set()


def final(responses: Any) -> speech_pb2.Final:
    *partials, last = responses
    assert all(response.HasField("partial") for response in partials)
    assert last.HasField("final")
    return last.final


def status(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        for _ in call:
            pass
    return caught.value.code(), caught.value.details()


def test_describe_says_what_there_is(stub: speech_pb2_grpc.SpeechStub) -> None:
    said = stub.Describe(speech_pb2.DescribeRequest(), timeout=WAIT_S)
    assert [engine.name for engine in said.engines] == ["pocketsphinx"]
    assert [domain.name for domain in said.domains] == ["home", "coffee"]
    assert said.default_domain == "home"
    assert DEFAULT_SPEC.fingerprint in [spec.fingerprint for spec in said.feature_specs]
    assert speech_pb2.CODEC_DEFLATE in said.codecs
    assert said.limits.streams_per_device_max == 2


def test_speech_gets_partials_that_only_grow_firmer_and_one_final_with_results(
    stub: speech_pb2_grpc.SpeechStub,
) -> None:
    responses = list(stub.Recognize(utterance("speech", levels(spoken("berlin"))), timeout=WAIT_S))
    answer = final(responses)
    assert "weather" in answer.transcript
    assert answer.results
    assert answer.engine.name == "pocketsphinx"
    assert answer.domain.name == "home"
    stable = ""
    for response in responses[:-1]:
        assert response.partial.stable_text.startswith(stable)
        stable = response.partial.stable_text
    assert stable


def test_an_answered_key_gets_its_answer_again(stub: speech_pb2_grpc.SpeechStub) -> None:
    first = final(stub.Recognize(utterance("again", levels(spoken("berlin"))), timeout=WAIT_S))
    again = final(stub.Recognize(utterance("again", levels()[:10], attempt=2), timeout=WAIT_S))
    assert not first.from_log
    assert again.from_log
    assert again.transcript == first.transcript
    assert again.results == first.results
    other = final(stub.Recognize(utterance("again", levels(), device_id="garage"), timeout=WAIT_S))
    assert not other.from_log
    assert other.transcript == ""


def test_silence_is_answered_with_no_words(stub: speech_pb2_grpc.SpeechStub) -> None:
    answer = final(stub.Recognize(utterance("silence", levels()), timeout=WAIT_S))
    assert answer.transcript == ""
    assert not answer.HasField("confidence")
    assert not answer.results


def test_no_frames_at_all_are_answered_with_no_words(stub: speech_pb2_grpc.SpeechStub) -> None:
    assert final(stub.Recognize(iter([config("nothing"), END]), timeout=WAIT_S)).transcript == ""


def test_a_domain_with_a_grammar_is_decoded_by_it(stub: speech_pb2_grpc.SpeechStub) -> None:
    answer = final(stub.Recognize(utterance("order", levels(spoken("latte")), domain="coffee"), timeout=WAIT_S))
    assert "latte" in answer.transcript
    assert answer.domain.name == "coffee"


def test_a_higher_attempt_takes_over_and_a_lower_one_does_not(patient: speech_pb2_grpc.SpeechStub) -> None:
    every = levels(spoken("timer"))

    def attempt(number: int) -> Any:
        again = utterance("contested", every, attempt=number, device_id="tried-again")
        return patient.Recognize(again, timeout=WAIT_S)

    held = Held(config("contested", attempt=2, device_id="tried-again"), *frames(every))
    older = patient.Recognize(iter(held), timeout=WAIT_S)
    assert next(older).HasField("partial")  # It is in work.
    code, sentence = status(attempt(1))
    assert code == grpc.StatusCode.ABORTED
    assert "attempt 1 is not higher" in sentence
    newer = attempt(3)
    assert status(older) == (grpc.StatusCode.ABORTED, "A higher attempt of this utterance took over.")
    assert final(newer).transcript
    held.release()


def test_many_connections_that_bring_an_utterance_at_once_get_one_answer(
    service: path.Service, stub: speech_pb2_grpc.SpeechStub
) -> None:
    every = list(utterance("crowded", levels(spoken("timer"))))
    with ExitStack() as opened:
        own = (("grpc.use_local_subchannel_pool", 1),)
        channels = [opened.enter_context(grpc.insecure_channel(service.address, options=own)) for _ in range(12)]
        stubs = [speech_pb2_grpc.SpeechStub(channel) for channel in channels]
        calls = [each.Recognize(iter(every), timeout=WAIT_S) for each in stubs]
        ends = [answer_or_status(call) for call in calls]
    answers = [end for end in ends if isinstance(end, speech_pb2.Final)]
    assert sum(not answer.from_log for answer in answers) == 1
    assert {answer.transcript for answer in answers} == {final(stub.Recognize(iter(every))).transcript}
    assert {end for end in ends if not isinstance(end, speech_pb2.Final)} <= {grpc.StatusCode.ABORTED}


def test_an_utterance_whose_client_went_away_after_the_end_is_answered_for_the_next_attempt(
    stub: speech_pb2_grpc.SpeechStub,
) -> None:
    every = levels(spoken("berlin"))
    call = stub.Recognize(utterance("vanished", every), timeout=WAIT_S)
    next(call)
    call.cancel()
    # Whether the end came before the connection broke is not ours to say; what is found then is the same.
    again = [final(stub.Recognize(utterance("vanished", every, attempt=attempt), timeout=WAIT_S)) for attempt in (2, 3)]
    assert again[0].transcript == again[1].transcript
    assert "weather" in again[0].transcript
    assert again[1].from_log


def answer_or_status(call: Any) -> speech_pb2.Final | grpc.StatusCode:
    try:
        return final(call)
    except grpc.RpcError as error:
        return error.code()


def test_one_stream_more_than_allowed_is_refused_at_once(patient: speech_pb2_grpc.SpeechStub) -> None:
    speech = list(frames(levels(spoken("timer"))))
    holding = [Held(config(f"held-{number}", device_id="busy"), *speech) for number in range(2)]
    calls = [patient.Recognize(iter(held), timeout=WAIT_S) for held in holding]
    for call in calls:
        assert next(call).HasField("partial")  # It is in work.
    third = utterance("third", levels()[:1], device_id="busy")
    code, sentence = status(patient.Recognize(third, timeout=WAIT_S))
    assert (code, sentence) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "2 utterances of this device are in work.")
    for held in holding:
        held.release()
    assert all(final(call).transcript for call in calls)


@pytest.mark.parametrize(
    ("requests", "code", "words"),
    [
        ([], grpc.StatusCode.INVALID_ARGUMENT, "without an end"),
        ([b"\xff garbage \xff"], grpc.StatusCode.INVALID_ARGUMENT, "not a parrotlet.v1"),
        ([END.SerializeToString()], grpc.StatusCode.INVALID_ARGUMENT, "before the configuration"),
        ([config("twice").SerializeToString()] * 2, grpc.StatusCode.INVALID_ARGUMENT, "second configuration"),
        ([config("cut").SerializeToString()], grpc.StatusCode.INVALID_ARGUMENT, "without an end"),
        ([config("../x").SerializeToString()], grpc.StatusCode.INVALID_ARGUMENT, "utterance_id"),
        ([config("d", domain="garage").SerializeToString()], grpc.StatusCode.FAILED_PRECONDITION, "no domain 'garage'"),
        ([config("f", feature_spec_fingerprint="x").SerializeToString()], grpc.StatusCode.FAILED_PRECONDITION, "'x'"),
        ([config("l", language="de-AT").SerializeToString()], grpc.StatusCode.FAILED_PRECONDITION, "'de-AT'"),
        ([bytes(300_000)], grpc.StatusCode.INVALID_ARGUMENT, "262144 is the most"),
        ([bytes(5 << 20)], grpc.StatusCode.RESOURCE_EXHAUSTED, "larger"),
    ],
)
def test_a_broken_stream_gets_a_status_and_a_sentence(
    service: path.Service, requests: list[bytes], code: grpc.StatusCode, words: str
) -> None:
    with grpc.insecure_channel(service.address) as channel:
        call = channel.stream_stream("/parrotlet.v1.Speech/Recognize")(iter(requests), timeout=WAIT_S)
        assert status(call)[0] == code
        assert words in call.details()


def test_what_comes_after_the_end_is_refused_and_the_service_goes_on(stub: speech_pb2_grpc.SpeechStub) -> None:
    all_levels = levels(spoken("timer"))

    def too_much() -> Iterator[speech_pb2.RecognizeRequest]:
        yield from utterance("too-much", all_levels)
        yield END

    assert status(stub.Recognize(too_much(), timeout=WAIT_S)) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "The client sent end after the end.",
    )
    answer = final(stub.Recognize(utterance("too-much", all_levels, attempt=2), timeout=WAIT_S))
    assert "timer" in answer.transcript


def test_a_client_that_falls_silent_is_let_go(stub: speech_pb2_grpc.SpeechStub) -> None:
    held = Held(config("mute"))
    code, sentence = status(stub.Recognize(iter(held), timeout=WAIT_S))
    held.release()
    assert (code, sentence) == (grpc.StatusCode.DEADLINE_EXCEEDED, "The client sent nothing for 1 s.")


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP])
def test_a_worker_that_dies_or_wedges_is_replaced_and_its_utterance_decoded_again(
    tmp_path: Path, built: Built, blow: signal.Signals
) -> None:
    with path.service(
        built(tmp_path), decoding_whisper="false", decoding_workers="1", decoding_wedged_s="1"
    ) as service:
        (worker,) = service.workers()
        held = Held(config("survivor"), *frames(levels(spoken("berlin"))))
        with grpc.insecure_channel(service.address) as channel:
            call = speech_pb2_grpc.SpeechStub(channel).Recognize(iter(held), timeout=WAIT_S)
            next(call)  # A partial: the worker is in the middle of it.
            os.kill(worker, blow)
            held.release()
            assert "weather" in final(call).transcript
        assert worker not in service.workers()


@pytest.mark.parametrize("blow", [signal.SIGTERM, signal.SIGKILL])
def test_answers_outlive_the_service(tmp_path: Path, built: Built, blow: signal.Signals) -> None:
    state_dir = built(tmp_path)
    for attempt in (1, 2):
        with (
            path.service(state_dir, decoding_whisper="false") as service,
            grpc.insecure_channel(service.address) as channel,
        ):
            stub = speech_pb2_grpc.SpeechStub(channel)
            answer = final(stub.Recognize(utterance("kept", levels(), attempt=attempt), timeout=WAIT_S))
            # Whoever was told an answer can be sure that it is in the log.
            service.process.send_signal(blow)
            service.process.wait(WAIT_S)
            assert answer.from_log == (attempt == 2)


def test_sigterm_lets_running_utterances_finish(tmp_path: Path, built: Built) -> None:
    with (
        path.service(built(tmp_path), decoding_whisper="false") as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        held = Held(config("last"), *frames(levels(spoken("berlin"))))
        call = speech_pb2_grpc.SpeechStub(channel).Recognize(iter(held), timeout=WAIT_S)
        next(call)
        health = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=WAIT_S)
        assert next(health).status == health_pb2.HealthCheckResponse.SERVING
        workers = service.workers()
        service.process.terminate()
        assert next(health).status == health_pb2.HealthCheckResponse.NOT_SERVING
        held.release()
        assert "weather" in final(call).transcript
        health.cancel()
        assert service.process.wait(15) == 0
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


def test_a_board_speaks_for_itself_alone(tmp_path: Path, built: Built) -> None:
    with own_service(built(tmp_path)) as (target, _), channel_to(target.address, target.board("garage")) as channel:
        recognise = speech_pb2_grpc.SpeechStub(channel).Recognize
        code, sentence = status(recognise(utterance("u-1", levels())))
        assert code == grpc.StatusCode.PERMISSION_DENIED
        assert sentence == "The certificate is that of garage, which may not speak for kitchen."
        assert final(recognise(utterance("u-1", levels(), device_id="garage"))).transcript == ""


def test_reflection_tells_a_stranger_the_services(service: path.Service) -> None:
    with grpc.insecure_channel(service.address) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        (answer,) = stub.ServerReflectionInfo(iter([request]), timeout=WAIT_S)
    names = {each.name for each in answer.list_services_response.service}
    assert {"parrotlet.v1.Speech", "grpc.health.v1.Health"} <= names


@pytest.mark.parametrize(
    ("method", "request_bytes", "code"),
    [
        ("grpc.health.v1.Health/Check", b"\x0a", grpc.StatusCode.INVALID_ARGUMENT),
        ("grpc.health.v1.Health/Watch", b"\x0a\x01\xff", grpc.StatusCode.INVALID_ARGUMENT),
        ("grpc.health.v1.Health/List", b"", grpc.StatusCode.UNIMPLEMENTED),
        (
            "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
            b"\x1a\x01",
            grpc.StatusCode.INVALID_ARGUMENT,
        ),
    ],
)
def test_garbage_is_told_as_such_by_grpcs_own_services_too(
    service: path.Service, method: str, request_bytes: bytes, code: grpc.StatusCode
) -> None:
    with grpc.insecure_channel(service.address) as channel:
        call: Any = channel.stream_stream(f"/{method}")(iter([request_bytes]), timeout=WAIT_S)
        assert status(call)[0] is code
    assert not any("Traceback" in line for line in service.log)


def test_at_an_earlier_endpoint_the_answer_is_prepared_and_held_until_the_end(
    patient: speech_pb2_grpc.SpeechStub,
) -> None:
    held = Held(config("early-1"), *frames(levels(spoken("timer"))), SEEMS_OVER)
    responses = patient.Recognize(iter(held), timeout=WAIT_S)
    turn = next(response.turn for response in responses if response.HasField("turn"))
    assert turn == speech_pb2.Turn(speech_end_ms=1000, completeness="COMPLETENESS_COMPLETE")
    held.release()
    early = final(responses)
    assert (early.waiting_ms, early.decoding_ms) == (0, 0)
    at_the_end = final(
        patient.Recognize(utterance("early-2", levels(spoken("timer")), device_id="other"), timeout=WAIT_S)
    )
    assert early.transcript == at_the_end.transcript


def test_an_earlier_endpoint_that_was_none_changes_nothing(patient: speech_pb2_grpc.SpeechStub) -> None:
    every = list(frames(levels(spoken("timer"))))
    # Devices of their own: a board's second utterance starts from the mean of its first.
    plain = final(patient.Recognize(iter([config("plain", device_id="a"), *every, END]), timeout=WAIT_S))
    rest = [*every[12:14], GOES_ON, *every[14:], END]
    held = Held(config("resumed", device_id="b"), *every[:12], SEEMS_OVER, rest=rest)
    responses = patient.Recognize(iter(held), timeout=WAIT_S)
    next(response for response in responses if response.HasField("turn"))
    held.release()
    assert final(responses).transcript == plain.transcript
