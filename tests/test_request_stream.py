"""The rules of one utterance's requests, and that no bytes break anything but the stream they came in."""

from typing import Any

import grpc
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.request_stream import MESSAGE_BYTES_MAX, Ended, GoesOn, Opened, Refusal, RequestStream, SeemsOver, Spoken
from protos import codec, speech_pb2
from protos.feature_spec import DEFAULT_SPEC, FeatureSpec

INVALID = grpc.StatusCode.INVALID_ARGUMENT
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION


def stream(utterance_s_max: int = 2) -> RequestStream:
    return RequestStream(utterance_s_max=utterance_s_max, domains=frozenset({"home", "coffee"}))


def config(**changes: Any) -> bytes:
    fields = {
        "utterance_id": "u-1",
        "device_id": "kitchen",
        "feature_spec_fingerprint": DEFAULT_SPEC.fingerprint,
        "codec": speech_pb2.CODEC_RAW,
        "attempt": 1,
    }
    return speech_pb2.RecognizeRequest(config=speech_pb2.UtteranceConfig(**(fields | changes))).SerializeToString()


def frames(first: int = 0, count: int = 10, data: bytes | None = None) -> bytes:
    data = bytes(count * DEFAULT_SPEC.bands) if data is None else data
    message = speech_pb2.Frames(first_frame=first, frame_count=count, data=data)
    return speech_pb2.RecognizeRequest(frames=message).SerializeToString()


def test_a_board_is_told_what_is_understood() -> None:
    german = RequestStream(utterance_s_max=2, domains=frozenset({"home"}), languages=("de", "en"))
    german.accept(config(language="de-CH"))
    for languages, there in ((("en",), "en is"), (("de", "en"), "2 others are")):
        refused = RequestStream(utterance_s_max=2, domains=frozenset({"home"}), languages=languages)
        with pytest.raises(Refusal, match=f"The language 'sv' is not understood here; {there}") as refusal:
            refused.accept(config(language="sv"))
        assert refusal.value.code is PRECONDITION


def end(reason: int = speech_pb2.END_REASON_ENDPOINT) -> bytes:
    message = speech_pb2.UtteranceEnd()
    message.reason = reason  # type: ignore[assignment]
    return speech_pb2.RecognizeRequest(end=message).SerializeToString()


def refused(requests: RequestStream, *messages: bytes) -> Refusal:
    *good, bad = messages
    for message in good:
        requests.accept(message)
    with pytest.raises(Refusal) as caught:
        requests.accept(bad)
    return caught.value


def test_a_whole_utterance_is_taken() -> None:
    requests = stream()
    opened = requests.accept(config(domain="coffee"))
    assert isinstance(opened, Opened)
    assert opened.spec == DEFAULT_SPEC
    spoken = requests.accept(frames(0, 3))
    assert isinstance(spoken, Spoken)
    assert spoken.levels.shape == (3, DEFAULT_SPEC.bands)
    seems = speech_pb2.RecognizeRequest(speech_seems_over=speech_pb2.SpeechSeemsOver(speech_end_ms=20))
    assert requests.accept(seems.SerializeToString()) == SeemsOver(20)
    goes_on = speech_pb2.RecognizeRequest(speech_goes_on=speech_pb2.SpeechGoesOn())
    assert requests.accept(goes_on.SerializeToString()) == GoesOn()
    assert isinstance(requests.accept(frames(3, 1)), Spoken)
    assert isinstance(requests.accept(end()), Ended)


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([frames()], "before the configuration"),
        ([end()], "before the configuration"),
        ([config(), config()], "second configuration"),
        ([config(), end(), frames()], "after the end"),
        ([config(), end(), end()], "after the end"),
        ([config(), frames(5)], "frame 5 where frame 0 is due"),
        ([config(), frames(0, 10), frames(0, 10)], "frame 0 where frame 10 is due"),
        ([config(), frames(0, 0)], "0 frames"),
        ([config(), frames(0, 1001)], "longer than 2 s"),
        ([config(), frames(0, 300), frames(300, 1)], "longer than 2 s"),
        ([config(), frames(0, 2, b"short")], "5 bytes"),
        ([config(), frames(0, 1, bytes([99] * 80))], "level outside"),
        ([config(), end(0)], "without a known reason"),
        ([config(), end(77)], "without a known reason"),
        ([config(utterance_id="")], "utterance_id ''"),
        ([config(utterance_id="a b")], "utterance_id 'a b'"),
        ([config(device_id="x" * 65)], "device_id"),
        ([config(device_id="küche")], "device_id"),
        ([config(session_id="\n")], "session_id"),
        ([config(vad="v" * 33)], "vad of 33 characters"),
        ([config(local_transcript="t" * 1001)], "local_transcript of 1001 characters"),
        ([config(local_result_id="i" * 65)], "local_result_id of 65 characters"),
        ([config(attempt=0)], "attempt 0"),
        ([b"\xff\xff\xff garbage"], "not a parrotlet.v1.RecognizeRequest"),
        ([b""], "empty request"),
        ([bytes(MESSAGE_BYTES_MAX + 1)], "is the most"),
    ],
)
def test_a_broken_rule_is_an_invalid_argument_with_a_sentence(messages: list[bytes], words: str) -> None:
    refusal = refused(stream(), *messages)
    assert refusal.code == INVALID
    assert words in refusal.sentence
    assert refusal.sentence.endswith(".")
    assert "\n" not in refusal.sentence


def test_tables_that_differ_are_named_both() -> None:
    request = speech_pb2.RecognizeRequest.FromString(config())
    request.config.codec = speech_pb2.CODEC_CONTEXT
    ours = codec.tables_name(speech_pb2.CODEC_CONTEXT, DEFAULT_SPEC)
    assert ours is not None
    request.config.codec_tables = "1-00000000"
    refusal = refused(stream(), request.SerializeToString())
    assert refusal.code == PRECONDITION
    assert "1-00000000" in refusal.sentence
    assert f"this service has {ours}" in refusal.sentence
    request.config.codec_tables = ours
    stream().accept(request.SerializeToString())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"feature_spec_fingerprint": "logmel25-16k"}, ["logmel25-16k", DEFAULT_SPEC.fingerprint]),
        ({"codec": 0}, ["codec of number 0", "CODEC_RAW"]),
        ({"codec": 99}, ["codec of number 99", "CODEC_RAW"]),
        ({"domain": "garage"}, ["garage", "coffee, home"]),
        ({"language": "de-AT"}, ["'de-AT'", "en is"]),
    ],
)
def test_what_the_service_does_not_have_is_named_with_what_it_has(changes: dict[str, Any], words: list[str]) -> None:
    message = config(**{name: value for name, value in changes.items() if name != "codec"})
    if "codec" in changes:
        request = speech_pb2.RecognizeRequest.FromString(message)
        request.config.codec = changes["codec"]
        message = request.SerializeToString()
    refusal = refused(stream(), message)
    assert refusal.code == PRECONDITION
    assert all(word in refusal.sentence for word in words)


def test_levels_of_every_accepted_spec_are_checked_against_that_spec() -> None:
    requests = stream()
    finer = FeatureSpec(levels=24)
    requests.accept(config(feature_spec_fingerprint=finer.fingerprint))
    top = np.full((1, 80), finer.levels - 1, np.int8).tobytes()
    assert isinstance(requests.accept(frames(0, 1, top)), Spoken)


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_any_bytes_are_taken_or_refused(messages: list[bytes]) -> None:
    requests = stream()
    for message in [config(codec=speech_pb2.CODEC_DEFLATE), *messages]:
        try:
            requests.accept(message)
        except Refusal:
            return


@given(st.binary(max_size=400), st.integers(0, 2000), st.sampled_from([speech_pb2.CODEC_RAW, speech_pb2.CODEC_DEFLATE]))
def test_any_frame_data_is_taken_or_refused(data: bytes, count: int, codec: int) -> None:
    requests = stream(utterance_s_max=30)
    requests.accept(config(codec=codec))
    try:
        spoken = requests.accept(frames(0, count, data))
    except Refusal as refusal:
        assert refusal.code == INVALID
    else:
        assert isinstance(spoken, Spoken)
        assert spoken.levels.shape == (count, 80)
        assert 0 <= spoken.levels.min() <= spoken.levels.max() < DEFAULT_SPEC.levels
