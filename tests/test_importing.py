"""Recordings as others lay them out become a manifest: what is damaged is named by its line, and the rest is taken."""

import json
from collections.abc import Iterator, Sequence
from itertools import count, islice
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from common.errors import DataError, InputError
from models.__main__ import main
from models.data.clip import Clip
from models.data.manifest import read_manifest
from models.data.sound_file import write_sound
from models.importing.intake import FAULTS_TOLD, Agreed, Intake
from models.importing.table import Wanted, columns_of, read_table
from models.importing.told import Place, Told
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


def test_a_source_is_called_as_its_folder_is(tmp_path: Path) -> None:
    put(tmp_path / "corpus-17.0" / "yes" / "a.flac")
    assert imported("folders", tmp_path / "corpus-17.0", tmp_path / "m.jsonl").exit_code == 0
    assert clips_of(tmp_path / "m.jsonl")[0].source == "corpus-17.0"


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


def test_a_source_of_any_length_is_taken_in_as_it_comes(tmp_path: Path) -> None:
    put(tmp_path / "a.flac")
    asked = 0

    def endless() -> Iterator[Told]:
        nonlocal asked
        for asked in count(1):
            yield Told(Place(tmp_path, asked), "a.flac", {"start_ms": "0", "end_ms": str(asked)})
            yield Told(Place(tmp_path, asked), "missing.flac", {})

    intake = Intake(tmp_path, tmp_path, Agreed(look=False))
    clips = islice(intake.clips(endless()), 2000)
    assert [clip.end_ms for clip in clips] == [*range(1, 2001)]
    assert asked == 2000
    assert intake.left_out == 1999
    assert len(intake.faults) == FAULTS_TOLD


def test_ljspeech_has_texts_as_written_and_as_spoken(tmp_path: Path) -> None:
    put(tmp_path / "wavs" / "a.wav", tmp_path / "wavs" / "b.flac", tmp_path / "wavs" / "c.wav")
    (tmp_path / "metadata.csv").write_text('a|at 5 "sharp"|at five "sharp"\nb|only this\nc|written|\nd\nmissing|x|y\n')
    result = imported("ljspeech", tmp_path, tmp_path / "m.jsonl", "--speaker", "linda", "--source", "LJ")
    assert clips_of(tmp_path / "m.jsonl") == [
        Clip(path="wavs/a.wav", text='at five "sharp"', speaker="linda", source="LJ"),
        Clip(path="wavs/b.flac", text="only this", speaker="linda", source="LJ"),
        Clip(path="wavs/c.wav", text="written", speaker="linda", source="LJ"),
    ]
    assert result.stderr.splitlines() == [
        f"{tmp_path}/metadata.csv:4: is not of the form ID|TEXT or ID|AS WRITTEN|AS SPOKEN.",
        f"{tmp_path}/metadata.csv:5: wavs/missing.wav: there is no such file.",
    ]
    imported("ljspeech", tmp_path, tmp_path / "written.jsonl", "--as-written")
    assert clips_of(tmp_path / "written.jsonl")[0].text == 'at 5 "sharp"'


def test_clients_of_common_voice_are_speakers_and_votes_are_measured(tmp_path: Path) -> None:
    put(*(tmp_path / "clips" / f"{name}.flac" for name in "abc"))
    (tmp_path / "train.tsv").write_text(
        "client_id\tpath\tsentence\tup_votes\tdown_votes\tage\n"
        'x1\ta.flac\t"Hello," she said.\t2\t1\ttwenties\n'
        "x2\tb.flac\tMany\tlots\t0\t\n"
    )
    (tmp_path / "dev.tsv").write_text("client_id\tpath\tsentence\nx3\tc.flac\tGood night.\n")
    result = imported("common-voice", tmp_path, tmp_path / "m.jsonl", "--source", "CV")
    assert result.stderr == f"{tmp_path}/train.tsv:3: b.flac: 'lots' as up_votes is no number.\n"
    one, two = read_manifest(tmp_path / "m.jsonl").clips
    assert (one.path, one.text, one.speaker, one.split) == ("clips/a.flac", '"Hello," she said.', "x1", "train")
    assert (one.measured["up_votes"], one.measured["down_votes"], one.slices) == (2, 1, {"age": "twenties"})
    assert (two.speaker, two.split) == ("x3", "tune")


def test_kaldi_segments_are_parts_of_recordings(tmp_path: Path) -> None:
    put(tmp_path / "sound" / "r1.wav", tmp_path / "sound" / "r 2.wav")
    data = tmp_path / "data"
    data.mkdir()
    (data / "wav.scp").write_text("r1 sound/r1.wav\nr2 sound/r 2.wav\nr3 sph2pipe -f wav r3.sph |\n")
    (data / "text").write_text("u1 good morning\nu2 good  night\n")
    (data / "utt2spk").write_text("u1 ann\nu2 bob\n")
    (data / "segments").write_text("u1 r1 0.0 0.25\nu2 r2 0.1 -1\nu3 r3 0 1\nu4 r1 later 1\nu5 r1 0 nan\nu6 r1 0.2 3\n")
    result = imported("kaldi", data, tmp_path / "m.jsonl", "--sound", tmp_path)
    one, two = read_manifest(tmp_path / "m.jsonl").clips
    assert (one.path, one.text, one.speaker, one.start_ms, one.end_ms) == (
        "sound/r1.wav",
        "good morning",
        "ann",
        0,
        250,
    )
    assert (two.path, two.text, two.speaker, two.start_ms, two.end_ms) == (
        "sound/r 2.wav",
        "good  night",
        "bob",
        100,
        None,
    )
    assert (one.measured["duration_ms"], two.measured["duration_ms"]) == (250, 400)
    assert result.stderr.replace(f"{data}/", "").splitlines() == [
        "wav.scp:3: r3 is what a command would write, and commands are not run; name a file.",
        "segments:3: r3 has no file in wav.scp.",
        "segments:4: is not of the form UTTERANCE RECORDING START END.",
        "segments:5: goes from 0 to nan s.",
        "segments:6: sound/r1.wav: it goes from 200 to 3000 ms, and its file ends at 500 ms.",
    ]


def test_kaldi_without_segments_has_an_utterance_a_recording(tmp_path: Path) -> None:
    put(tmp_path / "r1.wav")
    (tmp_path / "wav.scp").write_text("r1\tr1.wav\n")
    imported("kaldi", tmp_path, tmp_path / "m.jsonl", "--source", "K")
    assert clips_of(tmp_path / "m.jsonl") == [Clip(path="r1.wav", source="K")]


def test_the_log_is_taken_in_the_words_of_people(tmp_path: Path) -> None:
    put(*(tmp_path / "kept" / f"{name}.flac" for name in "abcde"))
    answers = (
        {"transcript": "play jazz", "audio": "kept/a.flac", "feedback": {"verdict": "wrong", "said": "play chess"}},
        {"transcript": "stop", "audio": "kept/b.flac", "feedback": {"verdict": "right"}, "path": "cloud"},
        {"transcript": "top", "audio": "kept/c.flac", "feedback": {"verdict": "wrong"}},
        {"transcript": "louder", "audio": "kept/d.flac"},
        {"transcript": "softer", "feedback": {"verdict": "right"}},
        {"transcript": "next", "audio": "kept/e.flac", "feedback": {"verdict": "perhaps"}},
    )
    lines = [
        json.dumps({"device_id": "kitchen", "utterance_id": str(number), **one}) for number, one in enumerate(answers)
    ]
    (tmp_path / "log.jsonl").write_text("\n".join([*lines, "{", "\udcff"]), errors="surrogateescape")
    result = imported("log", tmp_path / "log.jsonl", tmp_path / "m.jsonl")
    assert [(clip.text, clip.transcriber, clip.speaker) for clip in clips_of(tmp_path / "m.jsonl")] == [
        ("play chess", "feedback", "kitchen"),
        ("stop", "feedback", "kitchen"),
    ]
    assert [line.split(":")[1] for line in result.stderr.splitlines()] == ["6", "7", "8"]
    assert imported("log", tmp_path / "log.jsonl", tmp_path / "all.jsonl", "--unheard").exit_code == 0
    assert clips_of(tmp_path / "all.jsonl")[2].transcriber == "service"


def test_sound_is_written_whole_and_cut_off_at_full_scale(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", np.array([2.0, -2.0, 0.5], np.float32), 16_000)
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]
    assert (tmp_path / "a.wav").read_bytes()[44:] == np.array([32767, -32768, 16384], "<i2").tobytes()
    with pytest.raises(InputError, match="cannot be written: System error"):
        write_sound(tmp_path / "no" / "a.wav", SUNG, 16_000)
