"""Recordings as others lay them out become a manifest: what is damaged is named by its line, and the rest is taken."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from common.errors import DataError
from models.__main__ import main
from models.data.clip import Clip
from models.data.manifest import read_manifest
from models.data.sound_file import write_sound
from models.importing.intake import Agreed, Intake
from models.importing.table import Wanted, columns_of, read_table
from models.importing.told import Told
from tests.voices import sung

SUNG = sung(200, 180, seconds=0.5)


def put(*files: Path) -> None:
    """Half a second of a voice, in each."""
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_sound(file, SUNG, 16_000)


def imported(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["import", *map(str, words)])


def clips_of(manifest: Path) -> list[Clip]:
    """Without what was measured, which is the same for all."""
    clips = read_manifest(manifest).clips
    assert {tuple(clip.measured.items()) for clip in clips} == {(("duration_ms", 500.0), ("rate_hz", 16_000.0))}
    return [msgspec.structs.replace(clip, measured={}) for clip in clips]


def test_a_folder_is_a_class_and_a_file_may_name_its_speaker(tmp_path: Path) -> None:
    sounds = tmp_path / "sounds"
    put(sounds / "yes" / "ann_nohash_0.flac", sounds / "no" / "deep" / "bob_nohash_1.wav", sounds / ".old" / "a.wav")
    (sounds / "yes" / "notes.txt").write_text("not sound")
    result = imported("folders", sounds, tmp_path / "set" / "m.jsonl", "--speaker-in-name", "(.*)_nohash")
    assert result.output == f"{tmp_path}/set/m.jsonl: 2 clips\n"
    assert clips_of(tmp_path / "set" / "m.jsonl") == [
        Clip(path="../sounds/no/deep/bob_nohash_1.wav", label="no", speaker="bob", source="sounds"),
        Clip(path="../sounds/yes/ann_nohash_0.flac", label="yes", speaker="ann", source="sounds"),
    ]


def test_folders_called_as_splits_are_splits(tmp_path: Path) -> None:
    put(tmp_path / "dev" / "yes" / "a.flac", tmp_path / "train" / "dev" / "b.flac", tmp_path / "test" / "c.flac")
    assert imported("folders", tmp_path, tmp_path / "m.jsonl", "--split", "dev=test").exit_code == 0
    assert [(clip.split, clip.label) for clip in clips_of(tmp_path / "m.jsonl")] == [
        ("test", "yes"),
        (None, "test"),
        ("train", "dev"),
    ]


def test_a_recording_beside_the_folders_has_no_class(tmp_path: Path) -> None:
    put(tmp_path / "a.flac", tmp_path / "yes" / "b.flac")
    result = imported("folders", tmp_path, tmp_path / "m.jsonl")
    assert f"{tmp_path}/a.flac: lies in no sub-folder" in result.stderr
    assert result.stdout.endswith("1 clips; 1 left out\n")


def index(folder: Path) -> Path:
    file = folder / "index.tsv"
    file.write_text(
        "path\ttext\tspeaker\tset\tsplit\tsource_and_licence\n"
        "a/yes/1.flac\tyes\tann\tcommands\ttrain\tSpoken Words v1, CC BY 4.0\n"
        "a/silence/2.flac\t\t_noise_\tcommands\tdev\tSpoken Words v1, CC BY 4.0\n"
        "b/3.flac\tturn it “up”\tbob\tsentences\tdev\tApache-2.0; synthetic\n"
    )
    put(folder / "a" / "yes" / "1.flac", folder / "a" / "silence" / "2.flac", folder / "b" / "3.flac")
    return file


def test_a_table_is_read_by_the_names_of_its_columns(tmp_path: Path) -> None:
    assert imported("table", index(tmp_path), tmp_path / "m.jsonl").stderr == ""
    spoken = {"source": "Spoken Words v1", "licence": "CC BY 4.0"}
    assert clips_of(tmp_path / "m.jsonl") == [
        Clip(path="a/yes/1.flac", text="yes", speaker="ann", split="train", **spoken),
        Clip(path="a/silence/2.flac", split="tune", **spoken),
        Clip(
            path="b/3.flac",
            text="turn it “up”",
            speaker="bob",
            source="sentences",
            split="tune",
            licence="Apache-2.0; synthetic",
            synthetic=True,
        ),
    ]


def test_a_part_of_a_table_is_taken_and_its_classes_are_folders(tmp_path: Path) -> None:
    words = ("--where", "set=commands", "--label-from-folder", "--split", "dev=test", "--slice", "set")
    assert imported("table", index(tmp_path), tmp_path / "m.jsonl", *words).exit_code == 0
    clips = clips_of(tmp_path / "m.jsonl")
    assert [(clip.label, clip.split, clip.slices) for clip in clips] == [
        ("yes", "train", {"set": "commands"}),
        ("silence", "test", {"set": "commands"}),
    ]


def test_columns_are_told_and_the_others_are_named(tmp_path: Path) -> None:
    put(tmp_path / "x.flac")
    file = tmp_path / "words.csv"
    file.write_text('\ufeffSound,Spoken,Class,WER\nx.flac,"yes, ""please""",polite,0.5\n')
    words = ("--column", "path=sound", "--column", "text=spoken", "--column", "label=", "--measured", "wer")
    result = imported("table", file, tmp_path / "m.jsonl", *words, "--speaker", "ann", "--all", "test")
    assert result.stderr == "Columns that are not used: Class.\n"
    (clip,) = read_manifest(tmp_path / "m.jsonl").clips
    assert (clip.text, clip.label, clip.speaker, clip.split) == ('yes, "please"', None, "ann", "test")
    assert clip.measured["wer"] == 0.5


def test_damaged_rows_and_sounds_are_named_and_the_rest_is_taken(tmp_path: Path) -> None:
    put(*(tmp_path / f"{name}.flac" for name in ("good", "half", "twice", "unread")), tmp_path / "half.wav")
    for half in (tmp_path / "half.flac", tmp_path / "half.wav"):
        half.write_bytes(half.read_bytes()[: half.stat().st_size // 2])
    (tmp_path / "empty.flac").touch()
    (tmp_path / "letter.flac").write_text("dear diary")
    (tmp_path / "folder.flac").mkdir()
    rows = (
        b"good.flac\tone\ttrain\t0\t500",
        b"missing.flac\ttwo\ttrain\t\t",
        b"half.flac\tthree\ttrain\t\t",
        b"half.wav\tthree\ttrain\t\t",
        b"empty.flac\tfour\ttrain\t\t",
        b"letter.flac\tfive\ttrain\t\t",
        b"folder.flac\tsix\ttrain\t\t",
        b"good.flac\tseven",
        b"unread.flac\t\xff\ttrain\t\t",
        b"twice.flac\tnine\tholdout\t\t",
        b"twice.flac\tten\ttrain\t400\t300",
        b"twice.flac\televen\ttrain\t400\t600",
        b"twice.flac\ttwelve\ttrain\tsoon\t",
        b"twice.flac\tthirteen\ttrain\t\t",
        b"twice.flac\tfourteen\ttrain\t\t",
        b"\tfifteen\ttrain\t\t",
        b"nul\0.flac\tsixteen\ttrain\t\t",
    )
    file = tmp_path / "t.tsv"
    file.write_bytes(b"\n".join((b"path\ttext\tsplit\tstart_ms\tend_ms", *rows)))
    result = imported("table", file, tmp_path / "m.jsonl")
    assert result.stdout == f"{tmp_path}/m.jsonl: 2 clips; 15 left out\n"
    assert [clip.text for clip in clips_of(tmp_path / "m.jsonl")] == ["one", "thirteen"]
    told = result.stderr.replace(f"{file}:", "").splitlines()
    assert told == [
        "3: missing.flac: there is no such file.",
        "4: half.flac: ends or is damaged before the 0.5 s that its header says.",
        "5: half.wav: ends after 0.2 s, though its header says 0.5 s.",
        "6: empty.flac: is empty (0 bytes).",
        "7: letter.flac: is damaged, or no sound of a known kind, such as WAV, FLAC or OGG.",
        "8: folder.flac: cannot be read: Is a directory.",
        "9: has 2 fields, and the header 5.",
        "10: this is not UTF-8.",
        "11: twice.flac: its split is holdout, which is none of train, training, tune, dev, valid, validation, test, "
        "testing; --split holdout=test says what it is.",
        "12: twice.flac: it ends at 300 ms, before it starts.",
        "13: twice.flac: it goes from 400 to 600 ms, and its file ends at 500 ms.",
        "14: twice.flac: 'soon' as start_ms is no whole number.",
        f"16: twice.flac: the same clip as in {file}:15.".replace(f"{file}:", ""),
        "17: names no file.",
        "18: nul .flac: names no file.",
    ]


@pytest.mark.parametrize(
    ("content", "words", "sentence"),
    [
        ("", (), "is empty"),
        ("sound\ttext\nx\ty\n", (), r"none of its columns \(sound, text\) is known to name files: --column path=NAME"),
        ("path\ttext\nx\ty\n", ("--column", "label=class"), "has no column class; it has path, text"),
        ("path\ttext\nx\ty\n", ("--column", "colour=text"), "a clip has no colour"),
        ("path\ttext\nx\ty\n", ("--where", "set=a"), "has no column set"),
        ("path\ttext\nx\ty\n", ("--split", "dev=dev"), "a split is one of train, tune, test"),
        (
            "path\ttext\nx.flac\ty\n",
            (),
            "holds no recording that can be used. .*t.tsv:2: x.flac: there is no such",
        ),
    ],
)
def test_what_cannot_be_taken_at_all_is_one_sentence(
    tmp_path: Path, content: str, words: Sequence[str], sentence: str
) -> None:
    (tmp_path / "t.tsv").write_text(content)
    result = imported("table", tmp_path / "t.tsv", tmp_path / "m.jsonl", *words)
    assert result.exit_code == 2
    with pytest.raises(DataError, match=sentence):
        raise DataError(result.stderr)
    assert not (tmp_path / "m.jsonl").exists()


def test_names_and_texts_may_come_in_any_form_of_unicode(tmp_path: Path) -> None:
    put(tmp_path / "cafe\u0301.flac")
    (tmp_path / "t.tsv").write_text("path\ttext\ncaf\u00e9.flac\tcafe\u0301\n")
    assert imported("table", tmp_path / "t.tsv", tmp_path / "m.jsonl").exit_code == 0
    assert clips_of(tmp_path / "m.jsonl") == [Clip(path="cafe\u0301.flac", text="caf\u00e9", source="t")]


@given(
    rows=st.lists(
        st.tuples(st.text("ab ,é", min_size=1, max_size=4), st.text("xy,\"'\u0301 ", max_size=6)),
        min_size=1,
        max_size=5,
    )
)
def test_any_text_in_a_table_of_either_kind_is_told_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("table")
    (folder / "t.tsv").write_text("".join(f"{path}\t{text}\n" for path, text in [("path", "text"), *rows]))
    quoted = [tuple('"{}"'.format(value.replace('"', '""')) for value in row) for row in [("path", "text"), *rows]]
    (folder / "t.csv").write_text("".join(f"{path},{text}\n" for path, text in quoted))
    for file in (folder / "t.tsv", folder / "t.csv"):
        told = list(read_table(file, Wanted(), columns_of(file, Wanted())))
        assert [(one.path, one.values["text"]) for one in told if isinstance(one, Told)] == [
            (path.strip(), text) for path, text in rows
        ]


def test_a_hundred_thousand_rows_are_taken_in_as_they_come(tmp_path: Path) -> None:
    put(tmp_path / "a.flac")
    file = tmp_path / "t.tsv"
    with file.open("w") as table:
        table.write("path\tstart_ms\tend_ms\n")
        table.writelines(f"a.flac\t{number}\t{number + 1}\n" for number in range(100_000))
    intake = Intake(tmp_path, tmp_path, Agreed(look=False))
    taken = intake.clips(read_table(file, Wanted(), columns_of(file, Wanted())))
    assert next(taken).end_ms == 1
    assert sum(1 for _ in taken) == 99_999


def test_sound_is_written_whole(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", np.array([2.0, -2.0, 0.5], np.float32), 16_000)
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]
