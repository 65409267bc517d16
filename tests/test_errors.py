"""Error analysis: weak slices that were planted are told, luck is not, and what is said to collect follows from it."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.weak_slices import drawn, planted
from common.errors import DataError
from models.__main__ import main
from models.data.clip import Clip
from models.data.manifest import write_manifest
from models.errors.advice import advise
from models.errors.compare import compare
from models.errors.condition import CLIPS_MIN, Condition
from models.errors.curve import Point, fit, read_curve
from models.errors.outcome import Outcome, outcome, read_outcomes, write_outcomes
from models.errors.slices import Slice, weak_slices

CURVE = fit([Point(clips, 2 * clips**-0.5) for clips in (100, 400, 1600)])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_three_planted_slices_are_told_as_what_they_are_and_nothing_else_is(seed: int) -> None:
    found = planted(weak_slices(drawn(seed, 4000, weak=True)))
    assert found == {"class": 1, "snr": 1, "kitchen": 1, "all": 1, "others": 0}


@pytest.mark.parametrize("seed", range(5))
def test_where_errors_are_luck_nothing_is_told(seed: int) -> None:
    assert weak_slices(drawn(seed, 1500, weak=False)) == []


@pytest.mark.parametrize("errors", [0.0, 1.0])
def test_where_all_clips_are_alike_there_is_nothing_to_tell(errors: float) -> None:
    alike = [Outcome(path=f"{number}", errors=errors, properties={"room": str(number % 2)}) for number in range(100)]
    assert weak_slices(alike) == []
    assert weak_slices([]) == []


def test_words_weigh_as_many_as_they_are() -> None:
    """A slice of long sentences with few errors a word is not weak, though each sentence has one."""
    draw = np.random.default_rng(1)
    outcomes = [
        Outcome(
            path=f"{number}",
            units=40.0 if number % 2 else 4.0,
            errors=float(draw.poisson(2.0 if number % 2 else 0.2)),
            properties={"source": "long" if number % 2 else "short"},
        )
        for number in range(600)
    ]
    assert weak_slices(outcomes) == []
    worse = [
        msgspec.structs.replace(one, errors=one.errors + (one.properties["source"] == "short")) for one in outcomes
    ]
    (found,) = weak_slices(worse)
    assert str(found) == "source = short"
    assert found.share == pytest.approx(4 / 44)
    assert found.gain == pytest.approx(found.share * (found.error_rate - found.rest_rate))


def test_a_handful_of_clips_shows_nothing() -> None:
    outcomes = [Outcome(path=f"{number}", errors=0, properties={"speaker": "usual"}) for number in range(300)]
    outcomes += [Outcome(path=f"x{n}", errors=1, properties={"speaker": "new"}) for n in range(CLIPS_MIN - 1)]
    assert weak_slices(outcomes) == []


def weak_slice(clips: int = 100, rate: float = 0.4, rest: float = 0.1) -> Slice:
    conditions = (Condition("label", "=", "stop"), Condition("snr_db", "<", 10.0))
    return Slice(conditions, clips, 0.25, rate, rest, 0.25 * (rate - rest), 1e-9)


def trained(count: int) -> list[Outcome]:
    return [
        outcome(Clip(path=f"{n}", label="stop", measured={"snr_db": 5.0}), truth="", said="", errors=0)
        for n in range(count)
    ]


def test_what_to_collect_rests_on_the_learning_curve() -> None:
    (advice,) = advise([weak_slice()], trained(50), CURVE, None)
    # Errors fall with the square root: a quarter of the errors takes sixteen times the clips.
    assert advice.clips == pytest.approx(50 * 16 - 50)
    sentence = advice.sentences(CURVE)
    assert "Collect about 750 clips of the class stop, less than 10 dB above the noise." in sentence
    assert "the errors over all would fall by 7.50 points" in sentence
    assert "50 such clips were trained on" in sentence
    assert "to the power of -0.50, measured from 100 to 1600 clips" in sentence


def test_a_person_s_reading_may_be_the_mark() -> None:
    (advice,) = advise([weak_slice()], trained(50), CURVE, 0.2)
    assert advice.gain == pytest.approx(0.25 * (0.4 - 0.2))
    assert advice.clips == pytest.approx(150)


@pytest.mark.parametrize(
    ("known", "curve", "words"),
    [
        (None, CURVE, "not known without the manifest"),
        (50, None, "not known without a learning curve"),
        (50, fit([Point(100, 0.2), Point(1000, 0.2)]), "more of the same would hardly mend it"),
    ],
)
def test_what_is_not_known_is_not_said(known: int | None, curve: object, words: str) -> None:
    (advice,) = advise([weak_slice()], None if known is None else trained(known), curve, None)  # type: ignore[arg-type]
    assert advice.clips is None
    assert words in advice.sentences(curve)  # type: ignore[arg-type]


def test_a_curve_takes_two_sizes(tmp_path: Path) -> None:
    file = tmp_path / "curve.jsonl"
    file.write_text('{"clips": 100, "error_rate": 0.2}\n')
    with pytest.raises(DataError, match=r"curve.jsonl: A learning curve needs models trained on two"):
        read_curve(file)


def test_outcomes_are_read_again_and_a_bad_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "outcomes.jsonl"
    clip = Clip(path="a.flac", label="yes", speaker="ann", measured={"snr_db": 12.0}, slices={"room": "bath"})
    said = outcome(clip, truth="yes", said="no", errors=1)
    write_outcomes(file, [said])
    assert read_outcomes(file) == [said]
    assert said.properties == {"label": "yes", "speaker": "ann", "synthetic": "no", "snr_db": 12.0, "room": "bath"}
    with file.open("a") as out:
        out.write("{}\n")
    with pytest.raises(DataError, match=r"outcomes.jsonl:2: this is no outcome"):
        read_outcomes(file)


def measured(errors: list[float], speakers: int = 20) -> list[Outcome]:
    return [
        Outcome(path=f"{number}", errors=error, truth="yes", properties={"speaker": f"{number % speakers}"})
        for number, error in enumerate(errors)
    ]


def test_two_models_are_compared_clip_by_clip() -> None:
    before = measured([float(number % 4 == 0) for number in range(400)])
    after = measured([float(number % 8 == 0) for number in range(400)])
    found = compare(before, after)
    assert (found.rate_a, found.rate_b) == (0.25, 0.125)
    assert not found.is_luck
    assert found.difference_high < 0
    assert (len(found.mended), len(found.broken)) == (50, 0)
    assert compare(before, before).is_luck


def test_clips_of_one_voice_are_one_draw() -> None:
    """All that was mended was said by one of twenty: another twenty might have nobody like that."""
    before = measured([float(number % 20 == 3) for number in range(400)])
    after = measured([0.0] * 400)
    assert compare(before, after).is_luck
    assert not compare(measured([float(n % 20 == 3) for n in range(400)], 400), measured([0.0] * 400, 400)).is_luck


def test_what_was_measured_on_other_clips_cannot_be_compared() -> None:
    with pytest.raises(DataError, match="no path is in both"):
        compare(measured([0.0]), [Outcome(path="other", errors=0)])


def test_errors_and_compare_by_the_command(tmp_path: Path) -> None:
    write_outcomes(tmp_path / "a.jsonl", drawn(1, 4000, weak=True))
    write_outcomes(tmp_path / "b.jsonl", drawn(2, 4000, weak=False))
    clips = [Clip(path=f"{n}", label="word 3", split="train" if n < 40 else "tune") for n in range(60)]
    write_manifest(tmp_path / "train.jsonl", clips)
    (tmp_path / "curve.jsonl").write_text('{"clips": 100, "error_rate": 0.2}\n{"clips": 400, "error_rate": 0.1}\n')
    options = ["--trained-on", f"{tmp_path}/train.jsonl", "--curve", f"{tmp_path}/curve.jsonl"]
    said = CliRunner().invoke(main, ["errors", f"{tmp_path}/a.jsonl", *options])
    assert said.exit_code == 0
    first, second, third, *_ = said.stdout.splitlines()
    assert (first, second) == ("4000 clips, errors 9.53 %", " 1. noise = kitchen and level_dbfs < -31")
    assert third.startswith("    Collect clips with noise kitchen, of speech quieter than -31 dBFS")
    assert "40 such clips were trained on" in said.stdout
    as_json = CliRunner().invoke(main, ["errors", f"{tmp_path}/a.jsonl", "--json", "--most", "1"]).stdout
    assert msgspec.json.decode(as_json)["slice"] == "noise = kitchen and level_dbfs < -31"
    none = CliRunner().invoke(main, ["errors", f"{tmp_path}/b.jsonl"]).stdout
    assert none.endswith("No slice errs more than luck would have it.\n")
    told = CliRunner().invoke(main, ["compare", f"{tmp_path}/a.jsonl", f"{tmp_path}/b.jsonl"]).stdout
    assert "B is better" in told
