"""From a person's word on the board to a model that learnt by it: the real spool, channel, service and commands."""

import asyncio
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from edge_fakes import ANSWER, FakeRecogniser, utterance

from cloud.__main__ import main as cloud_main
from cloud.answer_log import Key
from common.settings import load
from edge.__main__ import main as edge_main
from edge.asking.services import chain_of
from edge.clock import SYSTEM_CLOCK
from edge.settings import EdgeSettings
from edge.settings import Spool as Settings
from edge.speech.log_mel import log_mel
from edge.speech.utterance import UtteranceEnd, UtteranceFrames, UtteranceHead
from edge.spool import courier
from edge.spool.feedback import Feedback
from edge.spool.keeping import Keeping
from edge.spool.spool import Spool
from models.__main__ import main
from models.data.manifest import read_manifest
from models.data.mixing import as_samples
from protos import speech_pb2
from protos.feature_spec import DEFAULT_SPEC
from tests.test_forget import Answering, answering
from tests.test_sounds import Silent
from tests.test_training import whistle

UTTERANCES = 26

RECIPE = """
name = "whistles"
version = "1"
labels = ["low", "high"]

[commands.low]
text = "whistle low"
id = "whistle-low"

[commands.high]
text = "whistle high"
id = "whistle-high"

[mixing]
versions = 1

[network]
stem = 4
channels = 16
blocks = 1

[training]
epochs = 25
batch = 8
shift_frames = 2
masks = 0
mixup = 0.0
average = 0.8
"""

DEFINITION = """
[punctuation]
write = "none"
[letter_case]
write = "lower"
"""


@pytest.fixture(autouse=True)
def little_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.training.examples.DISTURBANCES", 1)


def speak(keeping: Keeping, number: int, draw: np.random.Generator) -> None:
    """Every other whistle is high; whoever is asked takes all of them for low ones."""
    head, _, end = utterance(number)
    assert isinstance(head, UtteranceHead)
    assert isinstance(end, UtteranceEnd)
    samples = as_samples(whistle(2000 if number % 2 else 300, draw))
    stream = keeping.start(head, Silent())
    stream.send(UtteranceFrames(0, DEFAULT_SPEC.quantise(log_mel(samples, DEFAULT_SPEC)), samples))
    stream.finish(end)


def answer(service: Answering, number: int) -> None:
    final = speech_pb2.Final(transcript="whistle low", results=[speech_pb2.SearchResult(id="whistle-low")])
    asyncio.run(service.log.put(Key("kitchen", f"u{number}"), final))


def word(number: int, by: str = "ann") -> Feedback:
    """What a person says of it, in one of three ways."""
    said = Feedback(f"{by}-{number}", f"u{number}", 1_000_000 * number, given_by=by)
    if number % 2 == 0:
        return msgspec.structs.replace(said, verdict="right")
    if number % 4 == 1:
        return msgspec.structs.replace(said, verdict="wrong", transcript="whistle high")
    return msgspec.structs.replace(said, verdict="wrong", result_id="whistle-high")


def spoken_of(folder: Path, service: Answering) -> None:
    """The board's part: heard, answered, spoken of while the service is away, told when it is back."""
    options = {"cloud.address": service.address, "device.id": "kitchen", "device.state_dir": folder}
    chain = chain_of(load(EdgeSettings, file=None, environment_prefix="NONE", options=options))
    draw = np.random.default_rng(1)
    coding = {"boot_id": "b", "coding": "coded", "hop_ms": 10}
    with Spool(folder / "spool.db", Settings(sound_days=7), **coding) as spool:  # type: ignore[arg-type]
        spool.services = ["cloud"]
        shown = msgspec.structs.replace(ANSWER, transcript="whistle low")
        with Keeping(FakeRecogniser(shown), spool, DEFAULT_SPEC, SYSTEM_CLOCK) as keeping:
            for number in range(UTTERANCES):
                speak(keeping, number, draw)
                assert spool.sounds is not None
                while spool.sounds._waiting.qsize():
                    pass
        for number in range(UTTERANCES):
            spool.give(word(number))
            spool.give(word(number))
        # Somebody else holds otherwise of the last one.
        spool.give(msgspec.structs.replace(word(UTTERANCES - 1, "bob"), verdict="right", result_id=None))
    forgotten = CliRunner().invoke(
        edge_main, ["forget", "u0", "--state-dir", str(folder), "--cloud", "", "--device-id", "kitchen"]
    )
    assert forgotten.exit_code == 0, forgotten.output
    with Spool(folder / "spool.db", Settings(sound_days=7), **coding) as spool, chain:  # type: ignore[arg-type]
        chain.replay(spool, SYSTEM_CLOCK)
        while spool.ask(lambda store: store.debts.owed("cloud")).result(20):
            pass


def run(*words: str | Path) -> str:
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.output


def test_what_people_say_on_the_board_is_what_a_model_learns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tensorflow")
    monkeypatch.setattr(courier, "LOOK_S", 0.01)
    data, log = tmp_path / "data", tmp_path / "log.jsonl"
    data.mkdir()
    (data / "data-definition.toml").write_text(DEFINITION)
    (tmp_path / "recipe.toml").write_text(RECIPE)
    with answering(tmp_path / "service") as service:
        for number in range(UTTERANCES):
            answer(service, number)
        spoken_of(tmp_path / "board", service)
    environment = {"PARROTLET_CLOUD_STORAGE_STATE_DIR": str(tmp_path / "service")}
    exported = CliRunner().invoke(cloud_main, ["log", "export", str(log)], env=environment)
    assert exported.output == f"{UTTERANCES} utterances are in {log}.\n"
    assert msgspec.json.decode(log.read_text().splitlines()[0])["feedback"] == []

    heard = data / "heard.jsonl"
    labelled = ("--sound", tmp_path / "board" / "sound", "--recipe", tmp_path / "recipe.toml", "--all", "train")
    told = run("import", "log", log, heard, *labelled)
    assert f"u{UTTERANCES - 1} of kitchen: people do not agree: ann: wrong, said" in told
    clips = read_manifest(heard).clips
    assert {clip.path: clip.label for clip in clips} == {
        f"../board/sound/u{number}.wav": "high" if number % 2 else "low" for number in range(1, UTTERANCES - 1)
    }
    assert {clip.transcriber for clip in clips} == {"feedback"}
    assert {(clip.label, clip.slices["feedback"], clip.text) for clip in clips} == {
        ("low", "right", "whistle low"),
        ("high", "said", "whistle high"),
        ("high", "meant", None),
    }
    run("check", heard, "--no-listen")

    learnt = run("train", tmp_path / "recipe.toml", "--data", heard, "--out", tmp_path / "model")
    assert f"{UTTERANCES - 2} clips to learn from" in learnt
    assert "nothing to learn from" not in learnt
    judged = run("evaluate", tmp_path / "model", heard, "--split", "train", "--json")
    assert msgspec.json.decode(judged)["accuracy"] == 1.0
