"""What README.md shows is true: its Python runs as written, its commands and options are there."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import cloud.__main__
import edge.__main__
import models.__main__
from benchmarks import path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROGRAMS: dict[str, click.Command] = {
    "parrotlet-edge": edge.__main__.main,
    "parrotlet-cloud": cloud.__main__.main,
    "parrotlet-models": models.__main__.main,
}


def blocks(language: str = "") -> list[str]:
    """Fenced blocks of that language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def shown_commands() -> Iterator[list[str]]:
    """The words of each of our commands in a block, without comments, from the program's name on."""
    for line in "\n".join(blocks()).splitlines():
        for part in re.split(r"[|()`]", line.partition("#")[0]):
            words = part.replace('"', "").split()
            for number, word in enumerate(words):
                if word.rpartition("/")[2] in PROGRAMS:
                    yield [word.rpartition("/")[2], *words[number + 1 :]]
                    break


def test_the_ten_lines_of_python_run_as_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks("python")
    assert len(code.strip().splitlines()) <= 10
    with path.service(tmp_path, decoding_whisper="false") as service:
        exec(compile(code.replace("127.0.0.1:7407", service.address), "README.md", "exec"), {})
    assert "timer for 10 minutes timer.start" in capsys.readouterr().out.lower()


def test_there_are_commands_to_check() -> None:
    assert len(list(shown_commands())) > 8


@pytest.mark.parametrize("words", list(shown_commands()), ids=" ".join)
def test_each_command_and_option_is_there(words: list[str]) -> None:
    command = PROGRAMS[words[0]]
    rest = words[1:]
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        found = command.get_command(click.Context(command), rest[0])
        assert found is not None, f"{words[0]} has no command {rest[0]}"
        command, rest = found, rest[1:]
    known = {name for parameter in command.params for name in parameter.opts} | {"--help", "--version"}
    unknown = {word.partition("=")[0] for word in rest if word.startswith("--")} - known
    assert not unknown


@pytest.mark.parametrize("script", sorted(set(re.findall(r"scripts/([a-z]+)", README))))
def test_each_script_is_there(script: str) -> None:
    assert (ROOT / "scripts" / script).is_file()


@pytest.mark.parametrize("link", re.findall(r"\]\((?!https://)([^)]+)\)", README))
def test_each_link_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()
