"""What `parrotlet-edge config --check` says, and whether a daemon would start."""

import shutil
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from edge.__main__ import main
from protos.model_card import CARD_FILE, read_model_card, write_model_card
from tests.tones import MODELS


def checked(*options: str) -> Result:
    return CliRunner().invoke(main, ["config", "--check", *options])


def test_settings_that_can_be_used_are_not_spoken_of() -> None:
    result = checked("--model-dir", str(MODELS), "--local-model", "tones")
    assert (result.exit_code, result.output) == (0, "")


@pytest.mark.usefixtures("usual_model")
@pytest.mark.parametrize("name", ["", "home-v1"])
def test_a_model_that_nobody_asked_for_may_be_missing(tmp_path: Path, name: str) -> None:
    result = checked("--model-dir", str(tmp_path), *(["--local-model", name] if not name else []))
    assert (result.exit_code, result.output) == (0, "")


def test_a_model_that_was_asked_for_and_is_missing_is_named_and_no_reason_not_to_start(tmp_path: Path) -> None:
    result = checked("--model-dir", str(tmp_path), "--local-model", "mine")
    assert result.exit_code == 0
    missing = tmp_path / "mine" / "card.json"
    assert result.stderr == f"The board does not answer by itself: {missing}: No such file or directory.\n"


@pytest.mark.usefixtures("usual_model")
def test_a_model_of_other_bytes_is_named_though_it_is_the_usual_one(tmp_path: Path) -> None:
    folder = tmp_path / "home-v1"
    folder.mkdir()
    (folder / "card.json").write_bytes((MODELS / "tones" / "card.json").read_bytes())
    (folder / "model.tflite").write_bytes(b"something else")
    result = checked("--model-dir", str(tmp_path))
    assert result.exit_code == 0
    assert "is not that of model tones 1" in result.stderr


def test_a_folder_that_cannot_be_looked_into_is_a_sentence(tmp_path: Path) -> None:
    models = tmp_path / ("m" * 300)
    missing = f"{models}/mine/card.json: File name too long.\n"
    result = checked("--model-dir", str(models), "--local-model", "mine")
    assert (result.exit_code, result.stderr) == (0, f"The board does not answer by itself: {missing}")
    result = checked("--model-dir", str(models), "--activation", "wake", "--wake-phrase", "mine")
    assert (result.exit_code, result.stderr) == (2, missing)


@pytest.mark.usefixtures("usual_model")
def test_a_folder_of_the_usual_model_that_cannot_be_looked_into_is_told(tmp_path: Path) -> None:
    result = checked("--model-dir", str(tmp_path / ("m" * 300)))
    assert result.exit_code == 0
    assert "home-v1/card.json: File name too long." in result.stderr


def test_a_model_that_is_not_for_commands_is_named(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(MODELS / "tones", tmp_path / "tones"))
    card = read_model_card(folder / CARD_FILE)
    write_model_card(folder / CARD_FILE, msgspec.structs.replace(card, kind="wake"))
    result = checked("--model-dir", str(tmp_path), "--local-model", "tones")
    assert result.exit_code == 0
    assert result.stderr == (
        f"The board does not answer by itself: {folder}: this is a model for wake, not for commands.\n"
    )


def test_an_address_that_cannot_be_one_is_a_reason_not_to_start() -> None:
    assert checked("--cloud", "nowhere:0").exit_code == 2
