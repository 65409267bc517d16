"""The manifest of a data set: what is written is read again, and what cannot be read is named by its line."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from common.errors import DataError
from models.__main__ import main
from models.data.clip import Clip
from models.data.manifest import read_manifest, write_manifest

GOOD = '{"path": "a.flac", "text": "hello", "split": "train"}'

TEXTS = st.none() | st.text(max_size=20)
CLIPS = st.builds(
    Clip,
    path=st.text(min_size=1, max_size=20).filter(lambda path: not path.endswith("/")),
    text=TEXTS,
    speaker=TEXTS,
    split=st.sampled_from([None, "train", "tune", "test"]),
    synthetic=st.booleans(),
    measured=st.dictionaries(st.text(max_size=5), st.floats(allow_nan=False, allow_infinity=False), max_size=3),
)


@given(clips=st.lists(CLIPS, min_size=1, max_size=5, unique_by=lambda clip: clip.path))
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, clips: list[Clip]) -> None:
    file = tmp_path_factory.mktemp("set") / "manifest.jsonl"
    assert write_manifest(file, clips) == len(clips)
    read = read_manifest(file)
    assert read.clips == clips
    assert read.findings == ()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "this is no clip"),
        ("[]", "this is no clip"),
        ('{"text": "no path"}', "this is no clip: Object missing required field `path`"),
        ('{"path": "b.flac", "split": "dev"}', "Invalid enum value 'dev'"),
        ('{"path": ""}', "the path names no file"),
        ('{"path": "b.flac", "start_ms": -1}', "it starts at -1 ms"),
        ('{"path": "b.flac", "start_ms": 700, "end_ms": 700}', "it ends at 700 ms, before it starts"),
        (GOOD, "the same clip as in line 1"),
        ("\udcff", "this is no clip"),
    ],
)
def test_a_bad_line_is_named_and_the_rest_is_read(tmp_path: Path, line: str, words: str) -> None:
    file = tmp_path / "manifest.jsonl"
    file.write_bytes(f'{GOOD}\n\n{line}\n{{"path": "c.flac"}}\n'.encode("utf-8", "surrogateescape"))
    read = read_manifest(file)
    assert [entry.line for entry in read.entries] == [1, 4]
    (finding,) = read.findings
    assert finding.line == 3
    assert words in finding.sentence


def test_a_file_without_any_clip_is_refused_with_its_first_fault(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("dear diary\n")
    with pytest.raises(DataError, match=r"notes.txt: no line of it is a clip; line 1: this is no clip"):
        read_manifest(file)


def test_a_manifest_is_never_changed(tmp_path: Path) -> None:
    file = tmp_path / "manifest.jsonl"
    write_manifest(file, [Clip(path="a.flac")])
    with pytest.raises(DataError, match="only written anew"):
        write_manifest(file, [Clip(path="b.flac")])
    assert [clip.path for clip in read_manifest(file).clips] == ["a.flac"]


def test_a_manifest_is_written_in_whole_or_not_at_all(tmp_path: Path) -> None:
    def clips() -> list[Clip]:
        raise KeyboardInterrupt

    file = tmp_path / "manifest.jsonl"
    with pytest.raises(KeyboardInterrupt):
        write_manifest(file, (clip for clip in [*clips()]))
    assert list(tmp_path.iterdir()) == []


def test_show_tells_what_there_is_and_what_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "manifest.jsonl"
    file.write_text(f'{GOOD}\n{{"path": "b.flac", "label": "yes", "synthetic": true}}\nnonsense\n')
    said = CliRunner().invoke(main, ["show", str(file)])
    assert said.exit_code == 0
    assert (
        said.stdout == "2 clips, 1 of them synthetic, 1 with text\nsplit: train 1; 1 without\nlabel: yes 1; 1 without\n"
    )
    assert said.stderr.startswith(f"{file}:3: this is no clip")
