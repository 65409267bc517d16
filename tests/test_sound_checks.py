"""What a data set sounds like: faults that were made are found, and nothing is found where none was made."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
from click.testing import CliRunner

from edge.sound.source import Samples
from models.__main__ import main
from models.check.sound import check_sound
from models.data.clip import Clip
from models.data.manifest import Entry, Manifest, read_manifest, write_manifest
from models.finding import Severity
from models.labels.definition import Definition
from models.sound.checks import Agreement, SourceLoudness, clip_findings, trimmed
from models.sound.measures import Measurer
from models.sound.survey import Surveyed, survey

RATE_HZ = 16_000
ROOM_DBFS = -65


@pytest.fixture(scope="module")
def said() -> Samples:
    """A sentence with half a second of a room before it and after."""
    samples = soundfile.read(Path(__file__).parent / "speech" / "weather.flac", dtype="int16")[0]
    half = np.zeros(RATE_HZ // 2, np.int16)
    return in_a_room(np.concatenate([half, samples, half]))


def in_a_room(samples: Samples) -> Samples:
    noise = np.random.default_rng(1).standard_normal(len(samples)) * 32768 * 10 ** (ROOM_DBFS / 20)
    mixed: Samples = np.clip(samples + np.rint(noise), -32768, 32767).astype(np.int16)
    return mixed


def by_telephone(samples: Samples) -> Samples:
    narrow: Samples = soxr.resample(soxr.resample(samples, 16_000, 8_000), 8_000, 16_000)
    return narrow


def scaled(samples: Samples, gain: float, offset: float = 0.0) -> Samples:
    changed: Samples = np.clip(np.rint(samples * float(gain) + offset * 32768), -32768, 32767).astype(np.int16)
    return changed


def surveyed(samples: Samples, **known: Any) -> Surveyed:
    return Surveyed(Entry(1, Clip(path="clip.flac", **known)), Measurer().measure(samples), ())


def kinds(samples: Samples, agreement: Agreement | None = None, **known: Any) -> list[str]:
    return [finding.kind for finding in clip_findings(surveyed(samples, **known), agreement or Agreement())]


def test_a_good_clip_has_no_faults(said: Samples) -> None:
    assert kinds(said) == []


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (lambda said: scaled(said, 30), "clipping"),
        (lambda said: scaled(scaled(said, 30), 0.7), "clipping"),
        (lambda said: scaled(said, 0.5, 0.05), "offset"),
        (lambda said: scaled(said, 0.01), "level"),
        (lambda said: by_telephone(said), "band_limit"),
        (lambda said: said[: RATE_HZ // 3], "no_speech"),
        (lambda said: np.zeros_like(said), "no_speech"),
        (lambda said: said[RATE_HZ * 11 // 10 :], "cut_off"),
        (lambda said: said[: -RATE_HZ * 11 // 10], "cut_off"),
        (
            lambda said: said + scaled(np.random.default_rng(2).standard_normal(len(said)), 900),
            "noise",
        ),
    ],
)
def test_a_fault_is_found_for_what_it_is(said: Samples, spoil: Callable[[Samples], Samples], kind: str) -> None:
    assert kind in kinds(spoil(said))


@pytest.mark.parametrize("gain", [0.05, 0.3, 1.0])
def test_how_loud_it_is_does_not_make_a_telephone_of_it(said: Samples, gain: float) -> None:
    assert "band_limit" not in kinds(scaled(said, gain))
    assert "band_limit" in kinds(scaled(by_telephone(said), gain))


def test_what_is_quickly_heard_is_what_is_measured(said: Samples) -> None:
    measurer = Measurer()
    heard, measured = measurer.hear(said), measurer.measure(said)
    assert heard.items() < measured.items()
    assert heard["duration_ms"] == round(len(said) * 1000 / RATE_HZ)
    assert 500 < heard["speech_ms"] < heard["duration_ms"] - 900
    whole = said[: len(said) // 320 * 320]
    assert measurer.hear(np.concatenate([whole, said[:160]]))["speech_ms"] == measurer.hear(whole)["speech_ms"]
    assert measurer.hear(np.array([32_767, 32_767, 32_767, 0, 32_767], np.int16))["flat_top_share"] == 0.6
    assert measurer.hear(said[:0]) == measurer.measure(said[:0]) == {"duration_ms": 0}


def test_where_silence_is_meant_speech_is_the_fault(said: Samples) -> None:
    assert kinds(said, label="silence") == ["speech_in_silence"]
    room = in_a_room(np.zeros(RATE_HZ, np.int16))
    assert kinds(room, Agreement(lufs=(-30.0, -10.0)), label="silence") == []


def test_silence_is_measured_and_held_against_the_agreement(said: Samples) -> None:
    measured = surveyed(said).measured
    speech = soundfile.read(Path(__file__).parent / "speech" / "weather.flac", dtype="int16")[0]
    alone = surveyed(in_a_room(speech)).measured
    assert measured["before_ms"] == pytest.approx(500 + alone["before_ms"], abs=60)
    assert kinds(said, Agreement(before_ms=(100, 300))) == ["silence_before"]
    assert kinds(said, Agreement(after_ms=(1500, 3000))) == ["silence_after"]
    assert kinds(said, Agreement(lufs=(-10.0, -5.0))) == ["loudness"]


def test_too_much_silence_is_left_out_by_the_manifest_alone(said: Samples) -> None:
    agreement = Agreement(before_ms=(100, 200), after_ms=(100, 200))
    clip = trimmed(surveyed(said), agreement)
    assert clip.start_ms is not None
    assert clip.end_ms is not None
    again = said[clip.start_ms * 16 : clip.end_ms * 16]
    assert kinds(again, Agreement(before_ms=(100, 260), after_ms=(100, 260))) == []
    assert trimmed(surveyed(again), Agreement(before_ms=(0, 400), after_ms=(0, 400))).start_ms is None


def test_a_source_whose_clips_are_all_as_loud_was_normalised(said: Samples) -> None:
    equal, as_spoken = SourceLoudness(), SourceLoudness()
    one = surveyed(said, source="studio")
    for number in range(25):
        equal.push(one)
        as_spoken.push(one._replace(measured=one.measured | {"lufs": -30.0 + number / 3}))
    (finding,) = equal.findings()
    assert finding.sentence.startswith("studio: 25 clips are all at ")
    assert list(as_spoken.findings()) == []


def test_check_listens_to_each_clip_that_is_there(tmp_path: Path, said: Samples) -> None:
    manifest = data_set(tmp_path, scaled(said, 30))
    found = list(check_sound(manifest, Definition()))
    assert {(finding.line, finding.kind) for finding in found} >= {(1, "clipping"), (3, "damaged"), (4, "clipping")}
    assert 2 not in {finding.line for finding in found}


def data_set(folder: Path, said: Samples) -> Manifest:
    """A good clip, one that is not there, half a FLAC, and another good one."""
    for name in ("good", "half", "last"):
        soundfile.write(folder / f"{name}.flac", said, RATE_HZ)
    whole = (folder / "half.flac").read_bytes()
    (folder / "half.flac").write_bytes(whole[: len(whole) // 2])
    write_manifest(folder / "manifest.jsonl", [Clip(path=f"{name}.flac") for name in ("good", "gone", "half", "last")])
    return read_manifest(folder / "manifest.jsonl")


@pytest.mark.parametrize("jobs", [1, 2])
def test_damaged_sound_is_named_by_its_line_and_the_rest_is_measured(tmp_path: Path, said: Samples, jobs: int) -> None:
    found = list(survey(data_set(tmp_path, said), jobs))
    assert [one.entry.line for one in found] == [1, 2, 3, 4]
    assert [bool(one.faults) for one in found] == [False, True, True, False]
    assert found[0].measured == found[3].measured
    (gone,) = clip_findings(found[1], Agreement())
    assert (gone.kind, gone.severity, gone.line) == ("damaged", Severity.ERROR, 2)
    assert "no such file" in gone.sentence


def test_measure_writes_the_figures_into_a_new_manifest(tmp_path: Path, said: Samples) -> None:
    data_set(tmp_path, said)
    told = CliRunner().invoke(
        main, ["measure", str(tmp_path / "manifest.jsonl"), str(tmp_path / "new.jsonl"), "--jobs=1"]
    )
    assert told.exit_code == 0
    assert "manifest.jsonl:2: " in told.stderr
    clips = read_manifest(tmp_path / "new.jsonl").clips
    assert clips[0].measured["duration_ms"] == pytest.approx(len(said) / 16, abs=20)
    assert clips[1].measured == {"duration_ms": 0}
