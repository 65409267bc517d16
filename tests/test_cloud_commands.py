"""The service's command line as people use it: words, streams, exit statuses."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from cloud.__main__ import main
from cloud.building.folder import SHIPPED
from common import VERSION

ROOT = Path(__file__).parent.parent


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def serve(*options: str, state_dir: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A service that should not come up."""
    return subprocess.run(
        [sys.executable, "-m", "cloud", "serve", *options],
        cwd=ROOT,
        env=os.environ | {"PARROTLET_CLOUD_STORAGE_STATE_DIR": str(state_dir)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def commands(group: click.Group, *path: str) -> list[tuple[str, ...]]:
    """All of them, by the words that lead there."""
    found = [path]
    for name, command in group.commands.items():
        found += commands(command, *path, name) if isinstance(command, click.Group) else [(*path, name)]
    return found


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A domain with a command."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "catalogue.jsonl").write_text('{"id": "tea", "title": "Tea", "aliases": ["a cup of tea"]}\n')
    (folder / "commands.yaml").write_text("intents: {order: {data: [{sentences: [bring (tea|coffee)]}]}}\n")
    return folder


@pytest.mark.parametrize("path", commands(main), ids=" ".join)
def test_every_help_has_an_example(path: tuple[str, ...]) -> None:
    assert "Example:\n  " in invoke(*path, "--help").stdout.replace("eval", "")


def test_the_version_is_told() -> None:
    assert VERSION in invoke("--version").stdout


def test_a_query_with_fillers_finds_what_the_query_without_finds() -> None:
    with_fillers, without = (invoke("search", "--json", query).stdout for query in ("um, today's weather", "weather"))
    assert (
        json.loads(with_fillers.splitlines()[0])["id"] == json.loads(without.splitlines()[0])["id"] == "weather-today"
    )
    nothing = invoke("search", "xyzzy")
    assert (nothing.stdout, nothing.stderr) == ("", "Nothing found.\n")


def test_a_search_tells_why_where_it_is_asked() -> None:
    plain = invoke("search", "whether today")
    assert '"whether"' not in plain.stdout
    told = invoke("search", "--explain", "whether today")
    assert '"whether" sounds like "weather" (0.' in told.stdout
    lines = invoke("search", "--explain", "--json", "whether today").stdout.splitlines()
    assert json.loads(lines[0])["explanation"].startswith('"whether" sounds like "weather"')


def test_a_sound_domain_is_checked_and_built(shop: Path, tmp_path: Path) -> None:
    checked = invoke("domain", "check", str(shop))
    assert checked.exit_code == 0
    assert checked.stdout.startswith("shop ")
    settings = tmp_path / "cloud.toml"
    settings.write_text(f'[storage]\nstate_dir = "{tmp_path}/state"\n')
    built = invoke("domain", "build", str(shop), "--config", str(settings))
    assert Path(built.stdout.split(" in ")[1].strip()).is_file()


def test_broken_commands_are_told_by_their_lines_by_check_and_by_serve(shop: Path) -> None:
    (shop / "commands.yaml").write_text("intents:\n  a:\n    data:\n      - sentences: ['go {there}', 'go (there']\n")
    told = [
        'commands.yaml:4: "go {there}" refers to {there}, and there is no such list.',
        'commands.yaml:4: opens a bracket with ( and does not close it, at character 4, in "go (there".',
    ]
    check = [sys.executable, "-m", "cloud", "domain", "check", str(shop)]
    checked = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (checked.returncode, checked.stdout) == (2, "")
    assert checked.stderr.splitlines() == [*(f"{shop}/{line}" for line in told), "2 faults, no warnings"]
    served = serve("--domain", str(shop), state_dir=shop.parent / "state", PARROTLET_CLOUD_DECODING_WHISPER="false")
    assert served.returncode == 2
    assert [line for line in served.stderr.splitlines() if "commands.yaml" in line] == [
        f"{shop}/{line}" for line in told
    ]


def test_a_broken_catalogue_is_told_by_line(shop: Path) -> None:
    (shop / "catalogue.jsonl").write_text('{"id": "tea", "title": "Tea"}\n{"id": \n')
    checked = invoke("domain", "check", str(shop))
    assert checked.exit_code == 2
    assert f"{shop}/catalogue.jsonl:2: not JSON" in checked.stderr


def test_two_domains_of_one_name_are_refused(shop: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "shop"
    shutil.copytree(shop, other)
    served = serve("--domain", str(shop), "--domain", str(other), state_dir=tmp_path / "state")
    assert served.returncode == 2
    assert f"{other}: there is another domain called shop" in served.stderr


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--listen", "127.0.0.1:99999"], "server.listen is '127.0.0.1:99999', but must be HOST:PORT"),
        (["--listen", "nowhere"], "server.listen is 'nowhere', but must be HOST:PORT"),
        (["--listen", "192.0.2.1:7407"], "not on 192.0.2.1:7407; make them with: parrotlet-cloud pki init"),
        (["--domain", "hoem"], "Did you mean home?"),
        (["--workers", "-1"], "decoding.workers is -1, but must be a whole number from 0 to 256."),
    ],
)
def test_what_cannot_be_served_is_told_in_one_sentence(tmp_path: Path, options: list[str], sentence: str) -> None:
    served = serve(*options, state_dir=tmp_path, PARROTLET_CLOUD_DECODING_WHISPER="false")
    told = [line for line in served.stderr.splitlines() if not line.startswith("INFO")]
    assert served.returncode == 2
    assert len(told) == 1
    assert sentence in told[0]


def test_no_domain_at_all_is_refused(tmp_path: Path) -> None:
    served = serve(state_dir=tmp_path, PARROTLET_CLOUD_DOMAINS_SERVE="")
    assert served.returncode == 2
    assert "domains.serve is [], but must be a list of texts, 1 of them at least." in served.stderr


def test_engines_are_listed_and_unknown_weights_named() -> None:
    listed = invoke("engines")
    assert listed.exit_code == 0
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["pocketsphinx", "whisper", "whisper"]
    fetched = invoke("engines", "fetch", "nonsense")
    assert (fetched.exit_code, fetched.stderr) == (2, "No weights are known as nonsense; there are: tiny.en, base.\n")


def test_what_is_shipped_passes_the_check() -> None:
    for folder in SHIPPED.iterdir():
        assert invoke("domain", "check", folder.name).exit_code == 0


def test_settings_are_checked_without_a_word_and_what_cannot_be_used_is_told(tmp_path: Path) -> None:
    checked = invoke("config", "--check")
    assert (checked.exit_code, checked.output) == (0, "")
    settings = tmp_path / "cloud.toml"
    settings.write_text('[server]\nlisten = "everywhere"\n')
    checked = invoke("config", "--check", "--config", str(settings))
    assert checked.exit_code == 2
    assert checked.stderr.startswith("server.listen is 'everywhere', but must be HOST:PORT")
    settings.write_text('[server]\nnames = ["a b"]\n')
    sentence = "server.names has 'a b', but must have names and addresses"
    for command in (("config", "--check"), ("pki", "init")):
        said = invoke(*command, "--config", str(settings))
        assert (said.exit_code, said.stdout) == (2, "")
        assert said.stderr.startswith(sentence)
    started = serve("--config", str(settings), state_dir=tmp_path)
    assert started.returncode == 2
    assert started.stderr.startswith(sentence)


def test_output_that_cannot_be_written_is_told_in_a_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        said = subprocess.run(
            [sys.executable, "-m", "cloud", "config"],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert said.returncode != 0
    assert "Traceback" not in said.stderr


def test_a_terminal_that_cannot_show_a_character_gets_another() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "cloud", "search", "weather"],
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        timeout=60,
    )
    assert said.returncode == 0
    assert said.stdout.isascii()
