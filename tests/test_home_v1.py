"""The shipped model of the home domain: what its table, its recipe, its card and the catalogue say is one, and the
board answers by it."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from conftest import Speech

from common.errors import DataError
from edge.__main__ import main
from edge.settings import EdgeSettings
from models.home.phrases import bound, read_meanings
from models.home.texts import texts
from models.training.recipe import read_recipe
from protos.model_card import CARD_FILE, MODEL_FILE, read_model_card

ROOT = Path(__file__).parents[1]
RECIPES = ROOT / "models" / "recipes"
FOLDER = ROOT / "models" / "files" / "home-v1"
CATALOGUE = ROOT / "cloud" / "domains" / "home" / "catalogue.jsonl"


def test_recipe_and_card_have_what_the_catalogue_says() -> None:
    recipe, card = read_recipe(RECIPES / "home-v1.toml"), read_model_card(FOLDER / CARD_FILE)
    assert recipe.commands == card.commands == bound(read_meanings(RECIPES / "home-v1.tsv"), CATALOGUE)
    assert card.labels == recipe.labels == (*card.commands, "unknown", "silence")
    assert 15 <= len(card.commands) <= 20
    assert (FOLDER / MODEL_FILE).stat().st_size <= 150_000
    assert card.operating_points["default"].false_per_hour is not None
    assert EdgeSettings().local.model == "home-v1"


@pytest.mark.usefixtures("usual_model")
@pytest.mark.parametrize(("name", "status", "found"), [("timer", 0, "timer-10-minutes"), ("latte", 3, None)])
def test_the_board_answers_a_voice_that_was_never_learnt_from(
    speech: Speech, name: str, status: int, found: str | None
) -> None:
    result = CliRunner().invoke(main, ["test", "--offline", "--json", str(speech.path(name))])
    assert result.exit_code == status, result.output
    line = msgspec.json.decode(result.stdout)
    assert line["path"] == ("local" if found else "none")
    assert [one["id"] for one in line["results"]] == ([found] if found else [])


def test_no_command_is_learnt_as_something_else() -> None:
    made = texts(read_meanings(RECIPES / "home-v1.tsv"), RECIPES / "home-v1-near.txt", CATALOGUE)
    commands = {text for text, _ in made.pop("commands")}
    others = [text for lines in made.values() for text, _ in lines]
    assert not commands & {*others}
    assert {label for lines in made.values() for _, label in lines} == {"unknown"}
    assert not {*made["train"]} & {*made["tune"]} | {*made["tune"]} & {*made["test"]}


def test_an_entry_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "catalogue.jsonl").write_text('{"id": "other", "title": "Other"}\n')
    with pytest.raises(DataError, match="has no entry light-on-all, which lights_on stands for"):
        bound(read_meanings(RECIPES / "home-v1.tsv"), tmp_path / "catalogue.jsonl")


def test_a_line_of_the_table_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "table.tsv").write_text("# none\nlouder\tvolume-up\n")
    with pytest.raises(DataError, match="table.tsv:2: has 2 fields"):
        read_meanings(tmp_path / "table.tsv")
