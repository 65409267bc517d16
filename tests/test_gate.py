"""The gate that the settings ask for, and what becomes of it where its model does not work."""

import shutil
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from edge.__main__ import main
from edge.local import interpreter
from edge.local.gate import open_gate
from edge.settings import MODELS_DIR, EdgeSettings, Local, Vad
from protos.model_card import CARD_FILE, MODEL_FILE, read_model_card, write_model_card
from tests.conftest import Speech

ASKED = Vad(model="speech-v1")
INSTEAD = "The gate judges by its own small network: "


def warned(settings: EdgeSettings) -> tuple[str, list[str]]:
    """The gate's name, and the sentences."""
    sentences: list[str] = []
    return open_gate(settings, sentences.append).name, sentences


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A folder of models that a test may damage."""
    shutil.copytree(MODELS_DIR / "speech-v1", tmp_path / "speech-v1")
    return tmp_path


def test_no_model_is_loaded_that_nobody_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "MODULES", ())
    assert warned(EdgeSettings()) == ("mel-1-mode-2", [])


def test_a_model_that_comes_with_the_code_is_found_beside_an_owners_own(tmp_path: Path) -> None:
    assert warned(EdgeSettings(vad=ASKED, local=Local(model_dir=tmp_path))) == ("speech-v1-1-mode-2", [])


def test_an_owners_model_of_that_name_comes_first(copied: Path) -> None:
    card = read_model_card(copied / "speech-v1" / CARD_FILE)
    write_model_card(copied / "speech-v1" / CARD_FILE, msgspec.structs.replace(card, version="7"))
    assert warned(EdgeSettings(vad=ASKED, local=Local(model_dir=copied))) == ("speech-v1-7-mode-2", [])


def test_a_damaged_model_is_told_and_the_gate_goes_on(copied: Path) -> None:
    (copied / "speech-v1" / MODEL_FILE).write_bytes(b"nothing")
    name, (sentence,) = warned(EdgeSettings(vad=ASKED, local=Local(model_dir=copied)))
    assert name == "mel-1-mode-2"
    assert sentence.startswith(f"{INSTEAD}{copied / 'speech-v1' / CARD_FILE}: ")
    assert "the file is not that of model speech-v1 1" in sentence


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    asked = Vad(aggressiveness=1, model="other")
    name, (sentence,) = warned(EdgeSettings(vad=asked, local=Local(model_dir=tmp_path)))
    assert name == "mel-1-mode-1"
    assert sentence == f"{INSTEAD}{tmp_path / 'other' / CARD_FILE}: No such file or directory."


def test_a_board_without_an_interpreter_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "MODULES", ("there_is_no_such_interpreter",))
    name, (sentence,) = warned(EdgeSettings(vad=ASKED))
    assert name == "mel-1-mode-2"
    assert "No TFLite interpreter works here" in sentence


def test_a_model_for_something_else_is_no_judge() -> None:
    name, (sentence,) = warned(EdgeSettings(vad=Vad(model="commands-v1")))
    assert name == "mel-1-mode-2"
    assert sentence.endswith("commands-v1: this is a model for commands, not for speech.")


def test_config_check_tells_it_too(copied: Path) -> None:
    (copied / "speech-v1" / CARD_FILE).write_text("{}")
    asked = ["config", "--check", "--model-dir", str(copied), "--vad-model", "speech-v1", "--local-model", ""]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 0
    assert result.stderr.startswith(INSTEAD)


def test_a_trial_says_it_once_and_goes_on(speech: Speech) -> None:
    files = [str(speech.path(name)) for name in ("egg", "timer")]
    result = CliRunner().invoke(main, ["test", "--cloud", "", "--json", "--vad-model", "other", *files])
    assert result.stderr.count(INSTEAD) == 1
    assert result.stdout.count('"utterance_id"') >= 2
