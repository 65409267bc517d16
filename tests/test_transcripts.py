"""Word errors of a service: counted by words and not by writing, and asked as a board asks."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import path
from common.errors import InputError
from models.__main__ import main
from models.data.clip import Clip
from models.data.manifest import write_manifest
from models.errors.outcome import read_outcomes
from models.evaluation import service
from models.evaluation.transcripts import judged
from models.labels.definition import Definition
from tests.conftest import SPEECH_FOLDER, Built, Speech


def clip(text: str, number: int = 1) -> Clip:
    return Clip(path=f"{number}.flac", text=text, source="here")


def test_how_it_is_written_is_no_error() -> None:
    found = judged([(clip("Um, set a timer for 10 minutes!"), "set a timer for ten minutes")], Definition(), {})
    assert (found.word_error_rate, found.words) == (0.0, 6)


def test_errors_are_told_by_kind_and_by_word() -> None:
    said = [
        (clip("turn on the light", 1), "turn on a light"),
        (clip("the light is on", 2), "light is on now"),
        (clip("read the book", 3), "read the book"),
    ]
    found = judged(said, Definition(), {})
    assert (found.substitutions, found.deletions, found.insertions) == (1, 1, 1)
    assert found.word_error_rate == pytest.approx(3 / 11)
    assert found.wrong == (("the", 2, "a"),)
    assert [one.errors for one in found.outcomes] == [1, 2, 0]
    assert [one.units for one in found.outcomes] == [4, 4, 3]


def test_a_text_of_marks_alone_is_not_judged() -> None:
    found = judged([(clip("[cough]"), "hello")], Definition(), {})
    assert found.outcomes == ()
    assert found.unread == {"1.flac": "has no words in its text"}


def test_a_service_is_asked_as_a_board_asks_it(tmp_path: Path, speech: Speech, built: Built) -> None:
    clips = [
        Clip(path=str(speech.path("timer")), text="Set the timer for ten minutes."),
        Clip(path=str(SPEECH_FOLDER / "gone.flac"), text="nothing"),
        Clip(path=str(speech.path("timer")), text="Set the timer for ten minutes.", start_ms=0, end_ms=60_000),
    ]
    write_manifest(tmp_path / "manifest.jsonl", clips)
    with path.service(built(tmp_path / "state"), decoding_whisper="false") as there:
        arguments = [there.address, f"{tmp_path}/manifest.jsonl", "--outcomes", f"{tmp_path}/outcomes.jsonl"]
        said = CliRunner().invoke(main, ["evaluate", *arguments])
    assert said.exit_code == 0, said.output
    assert said.stdout.startswith("word error rate 0.")
    assert "gone.flac: there is no such file" in said.stderr
    outcomes = read_outcomes(tmp_path / "outcomes.jsonl")
    assert len(outcomes) == 2
    # Clips of one recording are told apart.
    assert all(one.said.split().count("timer") == 1 and one.errors < one.units for one in outcomes)


def test_a_service_that_is_not_there_is_one_sentence(tmp_path: Path, speech: Speech) -> None:
    write_manifest(tmp_path / "manifest.jsonl", [Clip(path=str(speech.path("timer")), text="set the timer")])
    said = CliRunner().invoke(main, ["evaluate", "127.0.0.1:1", f"{tmp_path}/manifest.jsonl"])
    assert said.exit_code == 2
    assert len(said.stderr.splitlines()) == 1


def test_the_boards_own_model_is_not_taken_for_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    def answered(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert command[command.index("--local-model") + 1] == ""
        lines = '{"file": "a.flac", "transcript": "stop", "path": "local"}\n'
        return subprocess.CompletedProcess(command, 0, lines, "")

    monkeypatch.setattr(subprocess, "run", answered)
    (heard,) = service.heard("127.0.0.1:1", [Clip(path="a.flac")], Path())
    assert heard == (None, "was not answered")


def test_parts_of_recordings_of_the_same_name_are_told_apart(
    tmp_path: Path, speech: Speech, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []

    def ask(_: str, files: Sequence[Path | InputError]) -> list[service.Heard]:
        asked.extend(file.read_bytes() for file in files if isinstance(file, Path))
        return [service.Heard("") for _ in files]

    monkeypatch.setattr(service, "_asked", ask)
    for folder, name in (("ann", "timer"), ("bob", "latte")):
        (tmp_path / folder).mkdir()
        shutil.copy(speech.path(name), tmp_path / folder / "1.flac")
    service.heard("x:1", [Clip(path=f"{folder}/1.flac", start_ms=0, end_ms=900) for folder in ("ann", "bob")], tmp_path)
    assert asked[0] != asked[1]
