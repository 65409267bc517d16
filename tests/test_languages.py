"""Languages that a service is set to: who is asked, and what cannot be is said before anybody speaks."""

import asyncio
import shutil
import subprocess
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
import pytest

from benchmarks import path
from cloud import server
from cloud.decoders import languages
from cloud.decoders.weights import usable
from cloud.settings import CloudSettings, Decoding
from common.errors import EngineError, SettingsError
from protos import speech_pb2, speech_pb2_grpc
from tests.conftest import Built


@pytest.mark.parametrize(
    ("decoding", "why"),
    [
        (Decoding(), None),
        (Decoding(languages=("en", "en"), whisper=False), None),
        (Decoding(languages=("de",), whisper_model="base"), None),
        (Decoding(languages=("de",)), r"has de, but tiny\.en knows English alone; .* engines fetch base, and set"),
        (Decoding(languages=("en", "fr"), whisper=False), "has fr, which needs Whisper"),
    ],
)
def test_languages_that_no_engine_knows_are_told(decoding: Decoding, why: str | None) -> None:
    settings = CloudSettings(decoding=decoding)
    if why is None:
        languages.check(settings)
    else:
        with pytest.raises(SettingsError, match=why):
            languages.check(settings)


def test_without_whisper_another_language_is_nobodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "usable", lambda name, folder: tmp_path)

    async def run() -> None:
        async with AsyncExitStack() as stack:
            settings = CloudSettings(decoding=Decoding(workers=1, languages=("de",), whisper_model="base"))
            with pytest.raises(EngineError, match="holds no Whisper weights"):
                await server._open_pools(settings, {}, stack)

    asyncio.run(run())


def test_german_is_written_down_by_the_larger_weights(tmp_path: Path, built: Built) -> None:
    try:
        usable("base", CloudSettings().storage.weights_dir)
    except EngineError as error:
        pytest.skip(str(error))
    if shutil.which("espeak-ng") is None:
        pytest.skip("no espeak-ng to speak German")
    file = tmp_path / "berlin.wav"
    text = "Guten Morgen. Ich wohne in Berlin."
    subprocess.run(["espeak-ng", "-v", "de", "-s", "130", "-w", str(file), text], check=True)
    settings = {"decoding_whisper_model": "base", "decoding_languages": "de,en", "decoding_workers": "1"}
    with path.service(built(tmp_path / "state"), **settings) as service:
        with grpc.insecure_channel(service.address) as channel:
            described = speech_pb2_grpc.SpeechStub(channel).Describe(speech_pb2.DescribeRequest(), timeout=60)
        (answer,) = path.hear(service.address, [file], "--language", "de-DE")[file]
    assert [(engine.name, engine.model) for engine in described.engines] == [("whisper", "base")]
    assert list(described.languages) == ["de", "en"]
    assert "in Berlin" in answer["transcript"]
    assert (answer["engine"], answer["model"]) == ("whisper", "base")
