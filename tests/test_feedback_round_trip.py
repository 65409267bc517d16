"""From a person's word on the page to a model that learnt by it: real browser, daemon, channel, service, commands."""

import asyncio
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from edge_fakes import ANSWER, FakeRecogniser, utterance

from cloud.__main__ import main as cloud_main
from cloud.log.answer_log import Key
from edge.asking.answer import Result
from edge.asking.services import chain_of
from edge.clock import SYSTEM_CLOCK
from edge.settings import Spool as Settings
from edge.speech.log_mel import log_mel
from edge.speech.utterance import UtteranceEnd, UtteranceFrames, UtteranceHead
from edge.spool import courier
from edge.spool.keeping import Keeping
from edge.spool.spool import Spool
from models.__main__ import main
from models.data.manifest import read_manifest
from models.data.mixing import as_samples
from protos import speech_pb2
from protos.feature_spec import DEFAULT_SPEC
from tests.page_browser import Page, eventually, launched, needs_chromium, pair
from tests.page_phone import Phone
from tests.test_forget import Answering, answering
from tests.test_page import running
from tests.test_sounds import Silent
from tests.test_training import whistle

UTTERANCES = 26
WORDS = 12 + 2 * 13 + 1
"""Ann's, who says of every other one first that it is wrong and then what is right, and Bob's of the last one."""
WAIT_S = 20.0
SHOWN = tuple(Result(f"whistle-{name}", f"Whistle {name}", "", 1.0, None, None) for name in ("low", "high"))

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


def heard_by(folder: Path) -> None:
    """The board hears all of them, and keeps their sound."""
    draw = np.random.default_rng(1)
    with Spool(folder / "spool.db", Settings(sound_days=7), boot_id="b", coding="coded", hop_ms=10) as spool:
        spool.services = ["cloud"]
        shown = msgspec.structs.replace(ANSWER, transcript="whistle low", results=SHOWN)
        with Keeping(FakeRecogniser(shown), spool, DEFAULT_SPEC, SYSTEM_CLOCK) as keeping:
            for number in range(UTTERANCES):
                speak(keeping, number, draw)
                assert spool.sounds is not None
                while spool.sounds._waiting.qsize():
                    pass


def word(utterance_id: str) -> dict[str, Any]:
    """That it is right, as the page says it."""
    return {
        "feedback_id": f"right-{utterance_id}",
        "utterance_id": utterance_id,
        "given_at_unix_ms": 1_700_000_000_000,
        "verdict": "right",
    }


def judge(page: Page, number: int) -> None:
    """What a person says of an answer, in one of three ways."""

    def press(name: str) -> None:
        page.eval_on_selector(f'[data-utterance="u{number}"] [data-do="{name}"]', "button => button.click()")

    if number % 2 == 0:
        press("right")
        return
    press("wrong")
    if number % 4 == 1:
        page.fill(f'[data-utterance="u{number}"] textarea', "whistle high")
        page.keyboard.press("Enter")
    else:
        press('meant"][data-result="whistle-high')


def spoken_of(phone: Phone) -> None:
    """All but the first are judged on the page of this phone, in a browser."""
    with launched() as browser:
        page = browser.new_page()
        page.goto(pair(page.context, phone))
        page.wait_for_selector(f'[data-utterance="u{UTTERANCES - 1}"]')
        for number in range(1, UTTERANCES):
            judge(page, number)
        eventually(lambda: page.evaluate("localStorage['parrotlet-outbox']") == "[]", page)


def exported(service: Path, log: Path) -> dict[str, Any]:
    """What was said of each utterance, by the service's log, when all of it has come."""
    environment = {"PARROTLET_CLOUD_STORAGE_STATE_DIR": str(service)}
    until_s = time.monotonic() + WAIT_S
    while True:
        done = CliRunner().invoke(cloud_main, ["log", "export", str(log)], env=environment)
        assert done.exit_code == 0, done.output
        lines = [msgspec.json.decode(line) for line in log.read_text().splitlines()]
        said = {line["utterance_id"]: line["feedback"] for line in lines}
        if "u0" not in said and sum(map(len, said.values())) == WORDS:
            return said
        assert time.monotonic() < until_s, said


def run(*words: str | Path) -> str:
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.output


@needs_chromium
def test_what_people_say_on_the_page_is_what_a_model_learns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tensorflow")
    monkeypatch.setattr(courier, "LOOK_S", 0.01)
    data, log, board = tmp_path / "data", tmp_path / "log.jsonl", tmp_path / "board"
    data.mkdir()
    (data / "data-definition.toml").write_text(DEFINITION)
    (tmp_path / "recipe.toml").write_text(RECIPE)
    heard_by(board)
    with answering(tmp_path / "service") as service:
        for number in range(UTTERANCES):
            answer(service, number)
        settings = {"cloud.address": service.address, "spool.sound_days": 7}
        with running(board, monkeypatch, asking=chain_of, settings=settings) as (daemon, bob):
            for _ in range(2):
                assert bob.ask("/feedback", word("u0"))[0] == 202
            ann = Phone(daemon.page)
            spoken_of(ann)
            # Somebody else holds otherwise of the last one.
            for _ in range(2):
                assert bob.ask("/feedback", word(f"u{UTTERANCES - 1}"))[0] == 202
            assert bob.ask("/forget", {"utterance_id": "u0"}) == (200, {"here": 1})
            said = exported(tmp_path / "service", log)
    assert list(said) == [f"u{number}" for number in range(1, UTTERANCES)]
    assert {each["given_by"] for each in said["u1"]} == {ann.id}
    assert {each["given_by"] for each in said[f"u{UTTERANCES - 1}"]} == {ann.id, bob.id}

    heard = data / "heard.jsonl"
    labelled = ("--sound", board / "sound", "--recipe", tmp_path / "recipe.toml", "--all", "train")
    told = run("import", "log", log, heard, *labelled)
    assert f"u{UTTERANCES - 1} of kitchen: people do not agree: " in told
    assert f'{ann.id}: wrong, said "whistle high"' in told
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
