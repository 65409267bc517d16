"""The board as a satellite, served by homes that speak the library's Wyoming in Home Assistant's order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.ping import Ping
from wyoming.satellite import PauseSatellite, RunSatellite
from wyoming.vad import VoiceStopped

from edge.speech.activation import Always
from edge.speech.utterance import Heard
from edge.speech.utterance_maker import JudgedBlock
from edge.wyoming import satellite as satellite_file
from edge.wyoming.connections import Connections
from edge.wyoming.hushed import Hushed
from edge.wyoming.info import satellite_info
from edge.wyoming.satellite import Satellite
from tests.edge_fakes import utterance
from tests.wyoming_peers import NOWHERE, WAIT_S, client_of, event, events, player

INFO = satellite_info("kitchen", "okay nabu", speaks=True)


@asynccontextmanager
async def lent(
    *, phrase: str | None = None, program: Path | None = None
) -> AsyncIterator[tuple[Satellite, Connections]]:
    satellite = Satellite(INFO.event(), phrase, str(program) if program else None)
    async with Connections(NOWHERE, satellite.serve) as server:
        try:
            yield satellite, server
        finally:
            await satellite.close()


async def adopted(client: AsyncTcpClient) -> None:
    """As a home that is ready."""
    await client.write_event(RunSatellite().event())
    await pinged(client)


async def pinged(client: AsyncTcpClient) -> list[Event]:
    """What came up to now: all that was sent before has been obeyed."""
    await client.write_event(Ping("now").event())
    return await events(client, "pong")


async def hears(satellite: Satellite, heard: list[Heard]) -> None:
    await asyncio.to_thread(lambda: [satellite.heard(one) for one in heard])


def kinds(came: list[Event]) -> list[str]:
    return [one.type for one in came]


def run(talk: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(talk(), 2 * WAIT_S))  # type: ignore[arg-type]


def test_it_says_what_it_is_to_whoever_asks() -> None:
    async def talk() -> None:
        async with lent() as (_, server), client_of(server) as client:
            await client.write_event(Describe().event())
            info = Info.from_event(await event(client, "info"))
            assert info.satellite is not None
            assert (info.satellite.name, info.satellite.has_vad) == ("kitchen", True)
            assert info.satellite.active_wake_words == ["okay nabu"]
            assert info.wake[0].models[0].phrase == "okay nabu"
            assert (info.mic[0].mic_format.rate, info.snd[0].snd_format.channels) == (16_000, 1)

    run(talk)


@pytest.mark.parametrize("phrase", [None, "okay nabu"])
def test_an_utterance_is_a_run_of_the_home(phrase: str | None) -> None:
    async def talk() -> None:
        async with lent(phrase=phrase) as (satellite, server), client_of(server) as client:
            await adopted(client)
            await hears(satellite, utterance(1))
            came = await events(client, "audio-stop")
            begin = ["detection"] if phrase else []
            assert kinds(came) == [*begin, "run-pipeline", "audio-start", "audio-chunk", "audio-stop"]
            started = came[len(begin)].data
            assert (started["start_stage"], started["end_stage"]) == ("asr", "handle")
            assert started.get("wake_word_name") == phrase
            chunk = AudioChunk.from_event(came[-2])
            assert (chunk.rate, chunk.width, chunk.channels) == (16_000, 2, 1)
            assert np.frombuffer(chunk.audio, "<i2").tolist() == [1] * 16_000

    run(talk)


def test_without_a_home_nothing_is_heard() -> None:
    async def talk() -> None:
        async with lent() as (satellite, server), client_of(server) as client:
            assert not satellite.listens
            await hears(satellite, utterance(1))
            assert kinds(await pinged(client)) == ["pong"]
            await adopted(client)
            assert satellite.listens
            await client.write_event(PauseSatellite().event())
            await pinged(client)
            assert not satellite.listens

    run(talk)


@pytest.mark.parametrize("last", [Transcript("hello").event(), Error("no such engine").event()], ids=lambda it: it.type)
def test_one_utterance_at_a_time_until_the_home_says_what_it_heard(last: Event) -> None:
    async def talk() -> None:
        async with lent() as (satellite, server), client_of(server) as client:
            await adopted(client)
            await hears(satellite, utterance(1))
            await events(client, "audio-stop")
            assert not satellite.listens
            await hears(satellite, utterance(2))
            await client.write_event(last)
            assert kinds(await pinged(client)) == ["pong"]
            assert satellite.listens
            await hears(satellite, utterance(3))
            assert "run-pipeline" in kinds(await events(client, "audio-stop"))

    run(talk)


def test_a_home_that_cuts_for_itself_is_sent_no_more() -> None:
    async def talk() -> None:
        async with lent() as (satellite, server), client_of(server) as client:
            await adopted(client)
            head, *rest = utterance(1)
            await hears(satellite, [head])
            await client.write_event(VoiceStopped().event())
            assert kinds(await pinged(client)) == ["run-pipeline", "audio-start", "pong"]
            assert not satellite.listens
            await hears(satellite, rest)
            assert kinds(await pinged(client)) == ["pong"]

    run(talk)


def test_a_home_that_says_nothing_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(satellite_file, "RUN_S_MAX", 0.05)

    async def talk() -> None:
        async with lent() as (satellite, server), client_of(server) as client:
            await adopted(client)
            await hears(satellite, utterance(1))
            await events(client, "audio-stop")
            while not satellite.listens:
                await asyncio.sleep(0.01)

    run(talk)


def test_what_the_home_says_is_played_and_not_heard(tmp_path: Path) -> None:
    async def talk() -> None:
        async with lent(program=program) as (satellite, server), client_of(server) as client:
            await adopted(client)
            await client.write_event(AudioStart(22_050, 2, 1).event())
            await client.write_event(AudioChunk(22_050, 2, 1, b"\1\2" * 1000).event())
            assert kinds(await pinged(client)) == ["pong"]
            assert not satellite.listens
            await hears(satellite, utterance(1))
            await client.write_event(AudioChunk(22_050, 2, 1, b"\3\4").event())
            await client.write_event(AudioStop().event())
            assert kinds(await events(client, "played")) == ["played"]
            assert satellite.listens
            await hears(satellite, utterance(2))
            assert (await event(client, "run-pipeline")).data["end_stage"] == "tts"

    with player(tmp_path) as program:
        run(talk)
        assert program.with_suffix(".pcm").read_bytes() == b"\1\2" * 1000 + b"\3\4"
        assert program.with_suffix(".options").read_text() == "-q -t raw -f S16_LE -r 22050 -c 1 -\n"


def test_what_interrupts_is_played_after_what_was_begun(tmp_path: Path) -> None:
    async def talk() -> None:
        async with lent(program=program) as (_, server), client_of(server) as client:
            await adopted(client)
            for byte in (b"\1", b"\2"):
                await client.write_event(AudioStart(16_000, 1, 1).event())
                await client.write_event(AudioChunk(16_000, 1, 1, byte * 10).event())
            await client.write_event(AudioStop().event())
            for _ in range(2):
                await event(client, "played")

    with player(tmp_path, 'cat >> "$0.pcm"') as program:
        run(talk)
        assert program.with_suffix(".pcm").read_bytes() == b"\1" * 10 + b"\2" * 10


@pytest.mark.parametrize("script", ["exit 1", "exec sleep 60 <&-", "cat > /dev/null; exec sleep 60"])
def test_a_player_that_fails_keeps_nobody_deaf(
    tmp_path: Path, script: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("edge.wyoming.loudspeaker.LAST_S_MAX", 0.1)

    async def talk() -> None:
        async with lent(program=program) as (satellite, server), client_of(server) as client:
            await adopted(client)
            await client.write_event(AudioStart(16_000, 2, 1).event())
            for _ in range(5):
                await client.write_event(AudioChunk(16_000, 2, 1, bytes(100_000)).event())
            await client.write_event(AudioStop().event())
            await event(client, "played")
            assert satellite.listens
            assert "could not play" in caplog.text

    with player(tmp_path, script) as program:
        run(talk)


def test_what_is_too_long_to_wait_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.wyoming.loudspeaker.WAITING_BYTES_MAX", 50_000)

    async def talk() -> None:
        async with lent(program=program) as (_, server), client_of(server) as client:
            await adopted(client)
            await client.write_event(AudioStart(16_000, 2, 1).event())
            for _ in range(10):
                await client.write_event(AudioChunk(16_000, 2, 1, bytes(40_000)).event())
            await client.write_event(AudioStop().event())
            await event(client, "played")

    with player(tmp_path, 'sleep 0.2; cat > "$0.pcm"') as program:
        run(talk)
        assert 0 < program.with_suffix(".pcm").stat().st_size < 400_000


def test_a_second_home_is_told_that_there_is_one_until_that_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    async def talk() -> None:
        async with lent() as (satellite, server), client_of(server) as first:
            await adopted(first)
            async with client_of(server) as second:
                await second.write_event(RunSatellite().event())
                assert "Another home" in (await event(second, "error")).data["text"]
            monkeypatch.setattr(satellite_file, "HOME_KEPT_S", 0.0)
            async with client_of(server) as third:
                await adopted(third)
                await hears(satellite, utterance(1))
                assert "run-pipeline" in kinds(await events(third, "audio-stop"))
            assert await asyncio.wait_for(first.read_event(), WAIT_S) is None

    run(talk)


def test_whoever_has_not_adopted_it_neither_commands_it_nor_speaks_by_it(tmp_path: Path) -> None:
    async def talk() -> None:
        async with (
            lent(program=program) as (satellite, server),
            client_of(server) as home,
            client_of(server) as stranger,
        ):
            await adopted(home)
            await hears(satellite, utterance(1))
            await events(home, "audio-stop")
            for said in (AudioStart(16_000, 2, 1), Transcript("x"), PauseSatellite()):
                await stranger.write_event(said.event())
            assert kinds(await pinged(stranger)) == ["pong"]
            assert not satellite.listens
            await home.write_event(Transcript("x").event())
            await pinged(home)
            assert satellite.listens

    with player(tmp_path) as program:
        run(talk)


def test_a_home_that_goes_or_falls_silent_is_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    async def talk() -> None:
        async with lent() as (satellite, server):
            async with client_of(server) as client:
                await adopted(client)
            while satellite.listens:
                await asyncio.sleep(0.01)
            monkeypatch.setattr(satellite_file, "HOME_SILENT_S_MAX", 0.1)
            async with client_of(server) as client:
                await adopted(client)
                assert await asyncio.wait_for(client.read_event(), WAIT_S) is None
                assert not satellite.listens

    run(talk)


def test_a_home_that_takes_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(satellite_file, "OUTGOING_MAX", 2)

    async def talk() -> None:
        async with lent() as (satellite, server), client_of(server) as client:
            await adopted(client)
            head, frames, _ = utterance(1)
            for one in (head, *[frames] * 10):
                satellite.heard(one)
            while satellite.listens:
                await asyncio.sleep(0.01)

    run(talk)


def test_nothing_is_admitted_while_it_is_not_wanted() -> None:
    class Counting(Always):
        interruptions = 0

        def interrupted(self) -> None:
            self.interruptions += 1

    inner, wanted = Counting(), [False]
    hushed = Hushed(inner, lambda: wanted[0])
    block = JudgedBlock(np.zeros(320, np.int16), 0, 0.0, 0, 0.0, False)
    assert [hushed.admit(block) for _ in range(3)] == [()] * 3
    assert inner.interruptions == 1
    wanted[0] = True
    assert hushed.admit(block) == (block,)
