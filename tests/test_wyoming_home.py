"""`parrotlet-edge wyoming` as a home finds it: announced, described, asked; with real processes."""

import asyncio
import time
from pathlib import Path
from typing import Any, Self

import pytest
import soundfile
from click.testing import CliRunner
from wyoming.asr import Transcribe
from wyoming.client import AsyncTcpClient
from wyoming.info import AsrProgram, Describe, Info
from zeroconf import ServiceBrowser, ServiceListener, Zeroconf

import edge.__main__
from benchmarks import path
from common import VERSION
from common.addresses import Address
from common.errors import SettingsError
from common.settings import Loaded, load
from edge.asking.network import Network
from edge.settings import EdgeSettings
from edge.wyoming.info import Describing
from edge.wyoming.serving import MDNS_TYPE, SPEECH_ADDRESS, address_of
from protos import speech_pb2
from tests.conftest import Built, Speech
from tests.wyoming_peers import WAIT_S, board, event, pieces

DESCRIBED = speech_pb2.DescribeResponse(
    service_version="1.2.3",
    engines=[
        speech_pb2.Engine(name="whisper", model="base"),
        speech_pb2.Engine(name="pocketsphinx", model="en-us 5.1.1"),
    ],
    languages=["en", "de"],
)


def discovered(port: int) -> Any:
    """What announces that port to this machine."""
    found: dict[str, Any] = {}

    class Listener(ServiceListener):
        def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
            found[name] = zc.get_service_info(type_, name, timeout=1000)

        def update_service(self, zc: Zeroconf, type_: str, name: str) -> None:
            self.add_service(zc, type_, name)

        def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
            found.pop(name, None)

    try:
        network = Zeroconf(interfaces=["127.0.0.1"])
    except OSError as error:
        pytest.skip(f"no multicast on this machine: {error}")
    browser = ServiceBrowser(network, MDNS_TYPE, listener=Listener())
    try:
        until_s = time.monotonic() + WAIT_S
        while time.monotonic() < until_s:
            for info in list(found.values()):
                if info is not None and info.port == port:
                    return info
            time.sleep(0.02)
        raise AssertionError(f"not found among {found}")
    finally:
        browser.cancel()
        network.close()


def test_a_home_finds_it_and_gets_transcripts(speech: Speech, tmp_path: Path, built: Built) -> None:
    samples, _ = soundfile.read(speech.path("timer"), dtype="int16")

    async def talk(port: int) -> None:
        async with AsyncTcpClient("127.0.0.1", port) as client:
            await client.write_event(Describe().event())
            (program,) = Info.from_event(await event(client, "info")).asr
            assert [model.name for model in program.models] == ["en-us"]
            assert program.models[0].languages == ["en"]
        async with AsyncTcpClient("127.0.0.1", port) as client:
            await client.write_event(Transcribe(language="en-GB").event())
            for piece in pieces(samples):
                await client.write_event(piece)
            assert "timer for ten minutes" in (await event(client, "transcript")).data["text"]
        async with AsyncTcpClient("127.0.0.1", port) as client:
            await client.write_event(Transcribe(language="sv-SE").event())
            await client.write_event(next(pieces(samples)))
            assert "understands 'sv-SE'; there is en" in (await event(client, "error")).data["text"]

    with (
        path.service(built(tmp_path), decoding_whisper="false") as service,
        board(cloud_address=service.address, device_id="kitchen") as (port, process),
    ):
        info = discovered(port)
        assert info.name == f"kitchen.{MDNS_TYPE}"
        assert info.parsed_addresses() == ["127.0.0.1"]
        asyncio.run(talk(port))
    assert process.returncode == 0


def test_while_the_service_is_away_the_board_answers_itself_or_says_why_not(speech: Speech) -> None:
    async def said(port: int, name: str, kind: str) -> str:
        samples, _ = soundfile.read(speech.path(name), dtype="int16")
        async with AsyncTcpClient("127.0.0.1", port) as client:
            await client.write_event(Transcribe(language="en").event())
            for piece in pieces(samples):
                await client.write_event(piece)
            text: str = (await event(client, kind)).data["text"]
            return text

    with board(cloud_address="127.0.0.1:9", cloud_reach_s_max="0", local_model="home-v1") as (port, _):
        assert asyncio.run(said(port, "timer", "transcript")) == "ten minute timer"
        error = asyncio.run(said(port, "jazz", "error"))
    assert "cannot be reached" in error and "not understood" in error


class Keeper:
    """A service that says what it is, or nothing."""

    address = "127.0.0.1:7407"

    def __init__(self, said: speech_pb2.DescribeResponse | None) -> None:
        self.said = said

    @property
    def service(self) -> Self:
        return self

    async def description(self) -> speech_pb2.DescribeResponse:
        if self.said is None:
            await asyncio.sleep(3600)
        assert self.said is not None
        return self.said


class OneOf:
    """A chain of services that are asked."""

    own_card = None

    def __init__(self, network: Network, *keepers: Keeper) -> None:
        self.network = network
        self.keepers = keepers


def program(describing: Describing) -> AsrProgram:
    (found,) = asyncio.run(describing.info()).asr
    return found


def test_what_a_service_says_of_itself_is_told_and_remembered() -> None:
    with Network() as network:
        keeper = Keeper(DESCRIBED)
        describing = Describing(OneOf(network, keeper), "")  # type: ignore[arg-type]
        for _ in range(2):
            told = program(describing)
            assert [(model.name, model.version, model.languages) for model in told.models] == [
                ("base", None, ["en", "de"]),
                ("en-us", "5.1.1", ["en", "de"]),
            ]
            assert told.version == VERSION
            assert told.supports_transcript_streaming and not told.requires_external_vad
            assert asyncio.run(describing.languages()) == ["de", "en"]
            keeper.said = None
        network.give_up()


def test_the_language_that_is_asked_for_is_the_one_that_is_told() -> None:
    with Network() as network:
        describing = Describing(OneOf(network, Keeper(DESCRIBED)), "de-AT")  # type: ignore[arg-type]
        assert [model.languages for model in program(describing).models] == [["de"], ["de"]]


def test_a_service_that_was_never_reached_is_told_within_the_second_that_a_home_waits() -> None:
    with Network() as network:
        describing = Describing(OneOf(network, Keeper(None)), "de")  # type: ignore[arg-type]
        began_s = time.monotonic()
        told = program(describing)
        assert time.monotonic() - began_s < 1
        assert (told.installed, told.models[0].languages) == (True, ["de"])
        assert asyncio.run(describing.languages()) == []
        network.give_up()


def test_with_nobody_to_ask_there_is_nothing_installed() -> None:
    with Network() as network:
        told = program(Describing(OneOf(network), ""))  # type: ignore[arg-type]
    assert (told.installed, told.models) == (False, [])


def loaded(listen: str) -> Loaded[EdgeSettings]:
    return load(EdgeSettings, file=None, environment_prefix="PARROTLET_EDGE", options={"wyoming.listen": listen})


def test_beyond_this_machine_the_owner_is_told_what_that_means(caplog: pytest.LogCaptureFixture) -> None:
    for here in ("", "localhost:1", "[::1]:1"):
        address_of(loaded(here), SPEECH_ADDRESS)
    assert caplog.text == ""
    assert address_of(loaded(""), SPEECH_ADDRESS) == Address("127.0.0.1", 10300)
    assert address_of(loaded("0.0.0.0:10300"), SPEECH_ADDRESS) == Address("0.0.0.0", 10300)
    assert "Wyoming has no encryption and asks nobody who they are" in caplog.text
    with pytest.raises(SettingsError, match=r"wyoming\.listen is 'nonsense', but must be HOST:PORT"):
        address_of(loaded("nonsense"), SPEECH_ADDRESS)


def test_a_file_is_heard_by_a_satellite_alone() -> None:
    said = CliRunner().invoke(edge.__main__.main, ["wyoming", "--input", "x.wav"])
    assert said.exit_code == 2
    assert "--input is for --satellite" in said.stderr
