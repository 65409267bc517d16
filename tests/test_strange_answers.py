"""What a service may say to a board, whoever made it up: the board understands it or has a sentence, and nothing of it
steers a terminal or spoils what is kept."""

import asyncio
import contextlib
import io
import random
from collections.abc import Coroutine
from typing import Any

import grpc
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import made_messages
from benchmarks.mutations import changed
from common.errors import CloudError
from edge.asking import wire
from edge.asking.answer import Answer, Partial
from edge.asking.cloud_channel import CallFailed, Channel
from edge.asking.timing import TimingMs
from edge.console import Console
from edge.spool.event import Event, Kind
from protos import speech_pb2
from protos.feature_spec import DEFAULT_SPEC

UNTIMED = TimingMs(None, None, None, None, None, None)
STEERING = "\x1b]0;x\x07\n\x9b2J"

answers = made_messages.messages(speech_pb2.RecognizeResponse.DESCRIPTOR, {}).map(
    lambda message: message.SerializeToString()
)
descriptions = made_messages.messages(
    speech_pb2.DescribeResponse.DESCRIPTOR,
    {"parrotlet.v1.FeatureSpec.fingerprint": st.just(DEFAULT_SPEC.fingerprint)},
)


def spoilt(data: bytes, seed: int) -> bytes:
    """The same, or with a few changes."""
    return changed(random.Random(seed), [data], [data])[0] if seed else data


def shown(answer: Answer | Partial) -> str:
    out = io.StringIO()
    out.isatty = lambda: True  # type: ignore[method-assign]
    console = Console(out, {"NO_COLOR": "1"})
    if isinstance(answer, Partial):
        console.draw_partial(answer)
    else:
        console.print_answer("heading", answer, UNTIMED, with_times=True)
    return out.getvalue().replace("\r\x1b[K", "").replace("\n", "")


@given(answers, st.integers(0, 1000))
def test_any_answer_is_shown_without_steering_and_can_be_kept(data: bytes, seed: int) -> None:
    try:
        response = speech_pb2.RecognizeResponse.FromString(spoilt(data, seed))
    except Exception:
        # grpc.aio gives None for these, which the channel tells as a fault.
        return
    said = response.partial
    assert shown(Partial(said.stable_text, said.unstable_text)).isprintable()
    answer = wire.answer(response.final)
    assert shown(answer).isprintable()
    kept = Event("u", Kind.FINAL, 1, 1, answer=answer)
    assert msgspec.json.decode(msgspec.json.encode(kept), type=Event) == kept
    wire.completeness(response.turn)


@given(descriptions, st.integers(0, 1000))
def test_any_description_gives_a_codec_or_a_sentence(message: Any, seed: int) -> None:
    with contextlib.suppress(Exception):
        message = speech_pb2.DescribeResponse.FromString(spoilt(message.SerializeToString(), seed))
    try:
        wire.choose_codec("there:1", DEFAULT_SPEC, message)
    except CloudError as error:
        assert str(error).isprintable()
        assert len(str(error)) < 1000


def test_numbers_that_are_none_are_not_taken() -> None:
    nan, results = float("nan"), [speech_pb2.SearchResult(id=str(each), score=float("inf")) for each in range(50)]
    answer = wire.answer(speech_pb2.Final(transcript="tea", confidence=nan, results=results))
    assert answer.confidence is None
    assert [result.score for result in answer.results] == [0.0] * wire.RESULTS_MAX


def play(script: Any, scene: Any) -> None:
    """The scene with a channel to a service that says what the script says, in bytes."""

    async def run() -> None:
        server = grpc.aio.server()
        methods = {"Recognize": grpc.stream_stream_rpc_method_handler(script)}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("parrotlet.v1.Speech", methods),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        channel = Channel(f"127.0.0.1:{port}")
        try:
            await scene(channel)
        finally:
            await channel.close()
            await server.stop(0)

    playing: Coroutine[Any, Any, None] = asyncio.wait_for(run(), 60)
    asyncio.run(playing)


def test_spoilt_bytes_over_the_wire_are_an_answer_or_a_failed_call() -> None:
    draw = random.Random(1)
    good = [each.SerializeToString() for each in made_messages.examples(descriptions, 20, seed=1)]
    good += made_messages.examples(answers, 100, seed=1)

    async def strange(requests: Any, context: Any) -> None:
        for data in changed(draw, draw.sample(good, 3), good):
            await context.write(data)

    async def scene(channel: Channel) -> None:
        for _ in range(300):
            call = channel.recognise(10)
            try:
                while (response := await call.read()) is not None:
                    assert shown(wire.answer(response.final)).isprintable()
            except CallFailed as error:
                assert str(error).isprintable()
            finally:
                call.cancel()

    play(strange, scene)


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.INTERNAL, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAUTHENTICATED]
)
def test_why_a_service_refuses_cannot_steer_a_terminal_or_a_log(code: grpc.StatusCode) -> None:
    async def refusing(requests: Any, context: Any) -> None:
        await context.abort(code, STEERING * 100)

    async def scene(channel: Channel) -> None:
        call = channel.recognise(10)
        with pytest.raises(CallFailed) as caught:
            await call.read()
        call.cancel()
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 1000

    play(refusing, scene)
