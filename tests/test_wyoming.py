"""Speech to text over Wyoming, asked by the library's own client."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator

import msgspec
import numpy as np
import pytest
import soundfile
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.event import Event
from wyoming.handle import Handled
from wyoming.info import Describe, Info
from wyoming.intent import Intent, Recognize
from wyoming.ping import Ping
from wyoming.pipeline import PipelineStage, RunPipeline

from common.errors import CloudError, InputError
from edge.asking.answer import Answer, Result
from edge.asking.recogniser import Listener, Stream
from edge.sound.source import Samples, Source
from edge.speech.turn import Turn
from edge.speech.utterance import Heard, UtteranceHead
from edge.wyoming import speech_client, transcription
from edge.wyoming.connections import Connection
from edge.wyoming.speech_client import Desk, SpeechClient, Wanted
from edge.wyoming.transcription import Hear, Transcription
from tests.conftest import Speech
from tests.edge_fakes import ANSWER, FakeRecogniser, utterance
from tests.wyoming_peers import event, events, pieces, plain_hear, quiet, served

INFO = Info().event()
UNDERSTOOD = msgspec.structs.replace(
    ANSWER,
    transcript="a large latte",
    intent="order",
    slots={"size": "large", "drink": "latte"},
    values={"size": "20 oz"},
    response="A large latte, coming up.",
)


class Several(FakeRecogniser):
    """Gives one outcome after the other."""

    def __init__(self, *outcomes: Answer | CloudError) -> None:
        super().__init__()
        self._outcomes = iter(outcomes)

    def start(self, head: UtteranceHead, listener: Listener) -> Stream:
        self._outcome = next(self._outcomes)
        return super().start(head, listener)


def desk(
    recogniser: FakeRecogniser,
    *,
    hear: Hear = plain_hear,
    clock: Callable[[], float] = time.monotonic,
    places: int = 2,
    answer_s_max: float = 5.0,
    known: tuple[str, ...] = (),
) -> Desk:
    def begin(wanted: Wanted, on_text: Callable[[str], None]) -> Transcription:
        return Transcription(recogniser, hear, answer_s_max=answer_s_max, on_text=on_text, clock=clock)

    async def info() -> Event:
        return INFO

    async def check(wanted: Wanted) -> None:
        if known and wanted.language not in known:
            raise InputError("Nobody here understands it.")

    return Desk(begin, info, check, places)


def ask(desk: Desk, talk: Callable[[AsyncTcpClient], Awaitable[None]]) -> None:
    async def all_of_it() -> None:
        async def serve(connection: Connection) -> None:
            await SpeechClient(connection, desk, 5.0).serve()

        async with served(serve) as client:
            await talk(client)

    asyncio.run(all_of_it())


@pytest.fixture(scope="module")
def timer(speech: Speech) -> Samples:
    """A sentence at 16 kHz."""
    samples, rate_hz = soundfile.read(speech.path("timer"), dtype="int16")
    assert rate_hz == 16_000
    return np.asarray(samples)


async def send(client: AsyncTcpClient, samples: Samples) -> None:
    for piece in pieces(samples):
        await client.write_event(piece)


def test_what_is_spoken_is_transcribed_and_grows_meanwhile(timer: Samples) -> None:
    async def talk(client: AsyncTcpClient) -> None:
        await client.write_event(Transcribe(language="en").event())
        await send(client, timer)
        came = await events(client, "transcript-stop")
        assert [one.type for one in came] == [
            "transcript-start",
            *["transcript-chunk"] * (len(came) - 3),
            "transcript",
            "transcript-stop",
        ]
        text = Transcript.from_event(came[-2])
        assert (text.text, text.language) == (ANSWER.transcript, "en")
        assert "".join(one.data["text"] for one in came[1:-2]) == ANSWER.transcript

    ask(desk(FakeRecogniser()), talk)


def test_a_chunk_is_never_taken_back(timer: Samples) -> None:
    other = msgspec.structs.replace(ANSWER, transcript="Set the timer.")

    async def talk(client: AsyncTcpClient) -> None:
        await send(client, timer)
        came = await events(client, "transcript-stop")
        assert "".join(one.data["text"] for one in came if one.type == "transcript-chunk") == "set a"
        assert came[-2].data["text"] == "Set the timer."

    ask(desk(FakeRecogniser(other)), talk)


def test_a_recording_is_transcribed_to_its_end(timer: Samples) -> None:
    first, second = (msgspec.structs.replace(ANSWER, transcript=text) for text in ("one", "two"))

    async def talk(client: AsyncTcpClient) -> None:
        await send(client, np.concatenate([timer, quiet(1.5), timer, quiet(1.5)]))
        assert (await event(client, "transcript")).data["text"] == "one two"

    # Its sound comes in no time at all.
    ask(desk(Several(first, second), clock=lambda: 0.0), talk)


def test_who_speaks_is_answered_when_they_have_spoken_and_not_when_the_client_ends(timer: Samples) -> None:
    async def talk(client: AsyncTcpClient) -> None:
        await client.write_event(AudioStart(16_000, 2, 1).event())
        for _ in range(2):
            # The second time nobody listens any more, and that is no fault.
            for piece in list(pieces(np.concatenate([timer, quiet(1.5)])))[1:-1]:
                await client.write_event(piece)
        assert (await event(client, "transcript")).data["text"] == ANSWER.transcript
        await client.write_event(AudioStop().event())
        await client.write_event(Ping("still there").event())
        assert (await event(client, "pong")).data["text"] == "still there"

    # Time enough has passed for all of the sound to have been spoken.
    times = iter([0.0])
    ask(desk(Several(ANSWER, CloudError("asked twice")), clock=lambda: next(times, 60.0)), talk)


def test_one_command_after_the_other_may_come_on_one_connection() -> None:
    go_on = threading.Event()

    def lingers(source: Source, turn: Turn) -> Iterator[Heard]:
        yield from utterance(1)
        go_on.wait(5.0)

    async def talk(client: AsyncTcpClient) -> None:
        for _ in range(2):
            await client.write_event(AudioStart(16_000, 2, 1).event())
            assert (await event(client, "transcript")).data["text"] == ANSWER.transcript
            # The hearing thread of the first ends while the second waits.
            asyncio.get_running_loop().call_later(0.1, go_on.set)

    times = iter([0.0])
    ask(desk(FakeRecogniser(), hear=lingers, clock=lambda: next(times, 60.0)), talk)


def test_a_second_command_while_the_first_is_spoken_is_none(timer: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_client, "AGAIN_S_MAX", 0.01)

    async def talk(client: AsyncTcpClient) -> None:
        for _ in range(2):
            await client.write_event(AudioStart(16_000, 2, 1).event())
        assert "still owed" in (await event(client, "error")).data["text"]

    ask(desk(FakeRecogniser()), talk)


def test_what_begins_when_the_command_is_over_is_no_part_of_it() -> None:
    def hears_on(source: Source, turn: Turn) -> Iterator[Heard]:
        yield from utterance(1)
        yield utterance(2)[0]

    async def talk() -> None:
        times = iter([0.0])
        one = Transcription(FakeRecogniser(), hears_on, answer_s_max=5.0, clock=lambda: next(times, 60.0))
        # All of it is heard before anybody looks.
        one._hearing.join(5.0)
        assert (await one.outcome()).text == ANSWER.transcript

    asyncio.run(talk())


def test_a_cough_before_the_command_is_not_the_command(timer: Samples) -> None:
    nothing = msgspec.structs.replace(ANSWER, transcript="")

    async def talk(client: AsyncTcpClient) -> None:
        await client.write_event(AudioStart(16_000, 2, 1).event())
        for piece in list(pieces(np.concatenate([timer, quiet(1.5), timer, quiet(1.5)])))[1:-1]:
            await client.write_event(piece)
        assert (await event(client, "transcript")).data["text"] == ANSWER.transcript

    times = iter([0.0])
    ask(desk(Several(nothing, ANSWER), clock=lambda: next(times, 60.0)), talk)


def test_words_that_nobody_knows_are_an_empty_transcript_soon(timer: Samples) -> None:
    nothing = msgspec.structs.replace(ANSWER, transcript="")

    async def talk(client: AsyncTcpClient) -> None:
        sound = np.concatenate([timer, quiet(1.5 + transcription.AGAIN_S_MAX)])
        for piece in list(pieces(sound))[:-1]:
            await client.write_event(piece)
        assert (await event(client, "transcript")).data["text"] == ""

    times = iter([0.0])
    ask(desk(Several(nothing), clock=lambda: next(times, 60.0)), talk)


@pytest.mark.parametrize("live", [True, False])
def test_silence_is_an_empty_transcript_and_nobody_is_asked(live: bool) -> None:
    recogniser = FakeRecogniser()

    async def talk(client: AsyncTcpClient) -> None:
        for piece in list(pieces(quiet(transcription.NOTHING_S_MAX + 1)))[: -1 if live else None]:
            await client.write_event(piece)
        assert (await event(client, "transcript")).data["text"] == ""

    times = iter([0.0])
    ask(desk(recogniser, clock=(lambda: next(times, 60.0)) if live else (lambda: 0.0)), talk)
    assert recogniser.streams == []


def test_sound_without_end_has_an_end(timer: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcription, "SOUND_S_MAX", 7.0)

    async def talk(client: AsyncTcpClient) -> None:
        for piece in list(pieces(np.tile(timer, 6)))[:-1]:
            await client.write_event(piece)
        assert (await event(client, "transcript")).data["text"].startswith(ANSWER.transcript)

    ask(desk(FakeRecogniser(), clock=lambda: 0.0), talk)


def test_a_client_that_forgets_to_end_is_answered_all_the_same(timer: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcription, "COMMAND_S_MAX", 0.3)

    async def talk(client: AsyncTcpClient) -> None:
        await client.write_event(AudioStart(16_000, 2, 1).event())
        await client.write_event(list(pieces(timer))[1])
        assert (await event(client, "transcript")).data["text"] == ""

    ask(desk(FakeRecogniser(), clock=lambda: 0.0), talk)


@pytest.mark.parametrize("at_once", [True, False])
def test_without_an_answer_there_is_an_error_with_a_sentence(timer: Samples, at_once: bool) -> None:
    async def talk(client: AsyncTcpClient) -> None:
        await send(client, timer)
        said = (await event(client, "error")).data
        assert said["text"] == ("It is away." if at_once else "There was no answer within 0.2 s.")
        assert said["code"] == "CloudError"

    ask(desk(FakeRecogniser(CloudError("It is away."), at_once=at_once), answer_s_max=0.2), talk)


def test_a_part_that_nobody_answered_is_not_left_out_in_silence(timer: Samples) -> None:
    async def talk(client: AsyncTcpClient) -> None:
        await send(client, np.concatenate([timer, quiet(1.5), timer, quiet(1.5)]))
        assert (await event(client, "error")).data["text"] == "It is away."

    ask(desk(Several(ANSWER, CloudError("It is away.")), clock=lambda: 0.0), talk)


def test_a_client_that_asks_for_the_whole_pipeline_gets_the_meaning(timer: Samples) -> None:
    async def talk(client: AsyncTcpClient) -> None:
        await client.write_event(RunPipeline(PipelineStage.ASR, PipelineStage.HANDLE).event())
        await send(client, timer)
        came = await events(client, "handled")
        intent = Intent.from_event(came[-2])
        assert intent.name == "order"
        assert {entity.name: entity.value for entity in intent.entities} == {"size": "20 oz", "drink": "latte"}
        assert Handled.from_event(came[-1]).text == UNDERSTOOD.response

    ask(desk(FakeRecogniser(UNDERSTOOD)), talk)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(UNDERSTOOD, "intent"), (ANSWER, "handled"), (msgspec.structs.replace(ANSWER, results=()), "not-recognized")],
)
def test_who_comes_back_with_the_transcript_is_told_what_it_means(timer: Samples, answer: Answer, kind: str) -> None:
    async def talk(client: AsyncTcpClient) -> None:
        await send(client, timer)
        text = (await events(client, "transcript-stop"))[-2].data["text"]
        await client.write_event(Transcript(text, context={"conversation_id": "1"}).event())
        assert (await event(client, kind)).data["text"]
        await client.write_event(Recognize("Something that was typed").event())
        assert "a moment ago" in (await event(client, "not-recognized")).data["text"]

    ask(desk(FakeRecogniser(answer)), talk)


def test_a_language_that_nobody_understands_is_told_before_anybody_speaks() -> None:
    async def talk(client: AsyncTcpClient) -> None:
        await client.write_event(Transcribe(language="sv").event())
        await client.write_event(AudioStart(16_000, 2, 1).event())
        assert (await event(client, "error")).data["text"] == "Nobody here understands it."

    ask(desk(FakeRecogniser(), known=("en",)), talk)


def test_no_more_speak_at_a_time_than_there_are_places(timer: Samples) -> None:
    async def talk(client: AsyncTcpClient) -> None:
        await client.write_event(AudioStart(16_000, 2, 1).event())
        assert "no room" in (await event(client, "error")).data["text"]

    ask(desk(FakeRecogniser(), places=0), talk)


def test_a_place_is_free_again_however_the_speaker_went(timer: Samples) -> None:
    shared = desk(FakeRecogniser(), places=1)

    async def vanish(client: AsyncTcpClient) -> None:
        await client.write_event(AudioStart(16_000, 2, 1).event())
        await client.write_event(Ping().event())
        await event(client, "pong")
        assert shared.places == 0

    for _ in range(3):
        ask(shared, vanish)
        assert shared.places == 1


def test_who_closes_their_half_is_still_answered(timer: Samples) -> None:
    async def talk(client: AsyncTcpClient) -> None:
        await send(client, timer)
        client._writer.write_eof()  # type: ignore[union-attr]
        assert (await event(client, "transcript")).data["text"] == ANSWER.transcript

    ask(desk(FakeRecogniser()), talk)


def test_sound_of_another_format_is_the_same_speech(timer: Samples) -> None:
    async def talk(client: AsyncTcpClient) -> None:
        wide = np.repeat(timer.astype(np.int32)[:, np.newaxis] << 16, 2, axis=1)
        await client.write_event(AudioStart(16_000, 4, 2).event())
        await client.write_event(AudioChunk(16_000, 4, 2, wide.tobytes()).event())
        await client.write_event(AudioStop().event())
        assert (await event(client, "transcript")).data["text"] == ANSWER.transcript

    recogniser = FakeRecogniser()
    ask(desk(recogniser), talk)
    assert len(recogniser.streams) == 1


def test_describe_and_what_is_not_known_change_nothing() -> None:
    async def talk(client: AsyncTcpClient) -> None:
        await client.write_event(Event("tomorrows-event", {"a": 1}, b"sound"))
        await client.write_event(AudioStop().event())
        await client.write_event(AudioChunk(16_000, 2, 1, b"\0" * 100).event())
        await client.write_event(Describe().event())
        assert (await event(client, "info")).data == INFO.data

    ask(desk(FakeRecogniser()), talk)


@pytest.mark.parametrize(
    "wrong",
    [
        Event("audio-start", {"rate": 16_000, "width": 2}),
        Event("audio-start", {"rate": 1 << 40, "width": 2, "channels": 1}),
        Event("audio-start", {"rate": 16_000, "width": 0, "channels": 1}),
        Event("audio-start", {"rate": "fast", "width": 2, "channels": 1}),
        Event("transcribe", {"language": 7}),
        Event("recognize", {}),
        Event("run-pipeline", {"start_stage": "asr", "end_stage": "coffee"}),
    ],
    ids=repr,
)
def test_what_is_not_as_the_protocol_has_it_is_told_and_ends_the_connection(wrong: Event) -> None:
    async def talk(client: AsyncTcpClient) -> None:
        await client.write_event(wrong)
        assert (await event(client, "error")).data["code"] == "InputError"
        assert await client.read_event() is None

    ask(desk(FakeRecogniser()), talk)


def test_a_result_speaks_for_an_answer_without_words_of_its_own() -> None:
    from edge.wyoming import understood

    found = Answer("cloud", results=(Result("1", "Timer for 10 minutes", "", 1.0, None, None),))
    assert Handled.from_event(understood.handling([found])).text == "Timer for 10 minutes"
    assert understood.handling([Answer("cloud")]).type == "not-handled"
    assert understood.intent([found]).type == "not-recognized"
