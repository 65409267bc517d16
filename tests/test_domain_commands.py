"""parrotlet-cloud domain: as a person meets it who makes a domain."""

# ruff: noqa: E501 - what is printed is compared by the line

import json
import random
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cloud.__main__ import main
from cloud.building import example_folder
from cloud.building.build import make_bundle
from cloud.building.checks.folder import check_domain
from cloud.building.domain import load_domain
from cloud.building.folder import shipped_domains
from cloud.building.overview import about
from cloud.building.sampling import blocks_to_say, drawn
from cloud.decoders import Hypothesis
from cloud.understanding.network import Following
from cloud.understanding.understand import understand


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["domain", *arguments])


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What init writes."""
    folder = tmp_path_factory.mktemp("new") / "my-shop"
    assert run("init", str(folder)).exit_code == 0
    return str(folder)


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "cloud.toml").write_text(f'[storage]\nstate_dir = "{tmp_path}/state"\n[domains]\nserve = ["coffee"]\n')
    return str(tmp_path / "cloud.toml")


def _line(folder: Path, text: str) -> int:
    """Of the commands of a folder, where that stands."""
    lines = (folder / "commands.yaml").read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def tried(*arguments: str) -> dict[str, Any]:
    done = run("try", "--json", *arguments)
    assert done.exit_code == 0, done.output
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_what_init_writes_passes_every_check_and_is_built(shop: str, config: str) -> None:
    checked = run("check", shop)
    assert (checked.exit_code, checked.stderr) == (0, "")
    assert checked.stdout.endswith(": 4 entries, no faults, no warnings\n")
    built = run("build", shop, "--config", config)
    assert built.exit_code == 0
    assert Path(built.stdout.split(" in ")[1].strip()).is_file()


def test_init_shows_every_construct(shop: str) -> None:
    text = (Path(shop) / "commands.yaml").read_text()
    for construct in (
        "[please]", "(turn|switch)", ";", "{place}", "{1..90:minutes}", "<greeting>", "in:", "out:", "catalogue:", "range:",
        "expansion_rules:", "requires:", "forbids:", "slots:", "action:", "response:", "sure:", "ask:", "open_speech:",
    ):  # fmt: skip
        assert construct in text
    lexicon = [line for line in (Path(shop) / "lexicon.txt").read_text().splitlines() if line and line[0] != "#"]
    assert sorted("=" in line for line in lexicon) == [False, True]
    assert {len(text.splitlines()) < 120, "# " in text} == {True}


def test_init_overwrites_nothing_and_writes_nothing_where_a_part_is_there(tmp_path: Path) -> None:
    for name in ("commands.yaml", "lexicon.txt", "README.md"):
        folder = tmp_path / name.partition(".")[0]
        folder.mkdir()
        (folder / name).write_text("mine")
        done = run("init", str(folder))
        assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
        assert f"{folder / name}: is there already, and stays as it is." in done.stderr
        assert [path.read_text() for path in folder.iterdir()] == ["mine"]
    (tmp_path / "file").write_text("mine")
    assert "cannot be written" in run("init", str(tmp_path / "file" / "shop")).stderr
    assert "a domain's folder is named with" in run("init", str(tmp_path / "my shop")).stderr
    link = tmp_path / "linked"
    link.mkdir()
    (link / "catalogue.jsonl").symlink_to(tmp_path / "nowhere")
    assert "is there already" in run("init", str(link)).stderr
    assert not (tmp_path / "nowhere").exists()


def test_a_disk_that_is_full_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(tmp_path / "shop" / "catalogue.jsonl"))

    monkeypatch.setattr(example_folder.shutil, "copyfileobj", full)
    done = run("init", str(tmp_path / "shop"))
    assert (done.exit_code, done.stderr) == (
        2,
        f"{tmp_path}/shop/catalogue.jsonl: cannot be written: No space left on device.\n",
    )


def test_a_folder_that_is_partly_faulty_ends_with_2_and_tells_warnings_apart(shop: str, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for file in Path(shop).iterdir():
        (folder / file.name).write_text(file.read_text().replace("{article} on", "{artikle} on"))
    (folder / "notes.txt").write_text("")
    done = run("check", str(folder))
    assert done.exit_code == 2
    assert "warning: " in done.stdout
    assert "notes.txt: is not read." in done.stdout
    assert done.stderr.splitlines()[0].startswith(f"{folder}/commands.yaml:{_line(folder, 'artikle')}: ")
    assert done.stderr.splitlines()[1:] == ["1 fault, 1 warning"]


def test_show_prints_intents_lists_words_and_sizes(shop: str) -> None:
    shown = run("show", shop).stdout
    begins = _line(Path(shop), "<greeting>] (order") - 1
    for line in ("4 entries, 5 tags", f"orderArticle (line {begins}): 6,930 ways to say it", "  slots     place, state",
                 "  action    timer.start", "  response  On {day} we open at nine.", "  article              10 names of 3 entries",
                 "  amount               whole numbers from 1 to 20", "  day                  6 values"):  # fmt: skip
        assert line in shown.splitlines()
    assert "0 of them guessed" in shown
    assert "pocketsphinx gets a graph of" in shown


def test_what_is_too_large_for_a_graph_is_told(shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloud.building.build.TRANSITIONS_MAX", 10)
    assert "pocketsphinx gets no graph of the sentences" in run("show", shop).stdout


@pytest.mark.parametrize(
    ("number", "told"), [(0, "0"), (999_999, "999,999"), (1_234_567, "about 1.2 x 10^6"), (10**400, "about 1 x 10^400")]
)
def test_a_large_number_is_a_power_of_ten(number: int, told: str) -> None:
    assert about(number) == told


def test_a_text_is_understood_as_the_service_would(shop: str, config: str) -> None:
    told = tried("--domain", shop, "Hi, I need 2 screws, please!")
    assert told["intent"] == "orderArticle"
    assert told["slots"] == {"amount": "two", "article": "screws"}
    assert told["values"] == {"amount": "2", "article": "screws-torx"}
    assert (told["action"], told["response"]) == ("order.add", "One order of screws.")
    assert told["confidence"] > 0.9
    assert told["results"][0]["id"] == "screws-torx"
    assert "explanation" not in told
    explained = tried("--domain", shop, "--explain", "turn on the parking lot lights")
    assert explained["values"] == {"place": "outside", "state": "on"}
    assert any("light: " in line for line in explained["explanation"])
    nothing = tried("--config", config, "what time is it in Oslo")
    assert (nothing["intent"], nothing["slots"], nothing["choices"]) == (None, {}, [])
    named = tried("--config", config, "show", "me", "latte")
    assert (named["intent"], named["results"][0]["id"]) == (None, "drink-latte")


def test_a_text_is_shown_to_read(shop: str) -> None:
    lines = run("try", "--domain", shop, "when are you open on friday").stdout.splitlines()
    assert lines == ["openingHours", "  day              friday", "  -> response On friday we open at nine."]
    assert run("try", "--domain", shop, "xyzzy").stdout == "no sentence of the domain\n"
    assert '"xyzzy"' not in run("try", "--domain", shop, "--explain", "xyzzy").stdout


def test_sentences_are_said_the_same_again_and_others_by_another_seed(shop: str) -> None:
    first, again, other = (run("say", shop, "--seed", seed).stdout for seed in ("0", "0", "1"))
    assert first == again != other
    assert len(set(first.splitlines())) == 10
    # As long as new ones are found, of 180.
    every = run("say", shop, "--intent", "setTimer", "--count", "500").stdout.splitlines()
    assert 150 < len(every) == len(set(every)) <= 180
    labelled = run("say", shop, "--labels", "--intent", "light").stdout.splitlines()
    assert {line.split("\t")[1] for line in labelled} == {"light"}
    assert set(json.loads(run("say", shop, "--json", "--count", "1").stdout)) == {"text", "intent", "slots", "values"}
    wrong = run("say", shop, "--intent", "lights")
    assert (wrong.exit_code, wrong.stderr) == (2, 'There is no intent "lights". Did you mean light?\n')


@pytest.mark.parametrize("name", [*shipped_domains(), "example"])
def test_a_sentence_that_is_said_is_understood_as_it_was_meant(name: str) -> None:
    folder = example_folder.EXAMPLE if name == "example" else name
    bundle = make_bundle(load_domain(str(folder)))
    blocks, following = blocks_to_say(bundle.blocks, None), Following(bundle.network)
    for said, _ in zip(drawn(bundle.network, bundle.blocks, blocks, random.Random(7)), range(250), strict=False):
        outcome = understand(following, bundle.blocks, [Hypothesis("text", "", said.text)])
        assert outcome.understood is not None, said.text
        block, meaning = outcome.understood.block, outcome.understood.meaning
        assert block.intent == bundle.blocks[said.block].intent
        if block.intent:
            assert (meaning.slots, meaning.values) == (said.slots, said.values), said.text


def test_the_example_that_is_shipped_is_sound() -> None:
    faults = check_domain(example_folder.EXAMPLE).faults
    assert (faults.faults, faults.warnings) == ([], [])
