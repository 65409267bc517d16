"""From a log and labels to a candidate with its report, step by step."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner, Result

from benchmarks import whistles
from cloud.changing.board_operations import BoardOperations
from cloud.settings import CloudSettings, Storage
from common.errors import DataError
from models.__main__ import main
from models.data.loudest import loudest
from models.data.manifest import read_manifest
from models.errors.outcome import Outcome, write_outcomes
from models.importing.feedback import LABELLED_BY
from models.importing.service_log import CHANCE
from models.retraining import learnt_from, offering
from models.retraining.commands import NAMES
from models.retraining.given import Given
from models.retraining.judging import IN_USE, WHOLE, judged
from models.retraining.retraining import carry_out, dry, retraining
from models.retraining.steps import Step, Work
from protos.model_card import read_model_card


@pytest.fixture(autouse=True)
def little_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.training.examples.DISTURBANCES", 1)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that serves, once for all tests."""
    pytest.importorskip("tensorflow")
    folder = tmp_path_factory.mktemp("served")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.training.examples.DISTURBANCES", 1)
        of = whistles.given(folder)
        whistles.serve(of)
    return of.serving


@pytest.fixture
def given(tmp_path: Path, served: Path) -> Given:
    return whistles.given(tmp_path, serving=served)


def run(of: Given, *words: str) -> Result:
    options = ["--labels", of.labels, "--base", of.base, "--recipe", of.recipe_file, "--serving", of.serving]
    told = [of.log, of.work, *options, "--sound", of.sound, "--each-utterance", *words]
    return CliRunner().invoke(main, ["retrain", *map(str, told)])


def upto(of: Given, last: str) -> list[str]:
    told: list[str] = []
    list(carry_out(of, told.append, None, last))
    return told


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def service(folder: Path) -> tuple[str, ...]:
    """Options by which a service is offered the candidate."""
    settings = folder / "cloud.toml"
    settings.write_text(f'[storage]\nstate_dir = "{folder / "state"}"\n')
    return "--offer", "0.5", "--service", str(settings)


def owner(folder: Path) -> BoardOperations:
    return BoardOperations(CloudSettings(storage=Storage(state_dir=folder / "state")))


def test_a_log_with_labels_becomes_a_candidate_and_a_report_and_is_not_done_twice(given: Given, tmp_path: Path) -> None:
    offered = service(tmp_path)
    done = run(given, *offered)
    assert done.exit_code == 0, done.output
    assert f"{given.report}: the report." in done.stdout
    assert "Goes to 50% of the boards" in done.stdout
    (one,) = owner(tmp_path).offered()
    assert one.for_some is not None
    assert (one.name, one.for_some.candidate, one.for_some.share) == ("whistles", "whistles/2", 0.5)
    card = read_model_card(tmp_path / "state" / "board-models" / "whistles" / "2" / "card.json")
    assert (card.name, card.version, card.kind) == ("whistles", "2", "commands")
    assert card.metrics["accuracy"] > 0
    page = given.report.read_text()
    assert all(source in page for source in card.sources)
    assert "<h2>Beside the model that serves</h2>" in page
    assert page.count("<svg") == 6
    assert "default-src 'none'" in page
    assert "<script" not in page

    before = content(given.work)
    again = run(given, *offered)
    assert again.exit_code == 0, again.output
    assert len(owner(tmp_path).history()) == 1
    assert [line for line in again.stderr.splitlines() if "done before" not in line] == []
    assert content(given.work) == before

    told = run(given, "--dry-run", "--from", "ablate")
    assert told.stdout.splitlines()[5].startswith("evaluate   done")
    assert told.stdout.splitlines()[6].endswith("(it is asked for)")
    assert told.stdout.splitlines()[7].endswith("(after ablate)")
    assert content(given.work) == before


def test_labels_and_what_people_said_are_in_the_log_itself(given: Given) -> None:
    """Words that were only called right are the service's writing, and no transcriber's who breaks the agreement."""
    lines = []
    for number in range(whistles.BOARDS * whistles.EACH):
        by = f"{LABELLED_BY}ann" if number % 2 else f"phone-{number}"
        said = {"said": "Um, low."} if number % 4 == 1 else {"verdict": "right"}
        feedback = {"feedback_id": f"f{number}", "given_by": by, "given_at_unix_us": 1} | said
        heard = {"device_id": f"board-{number % whistles.BOARDS}", "utterance_id": f"u{number}", "transcript": "low"}
        lines.append(heard | {"feedback": [feedback]})
    given.log.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    upto(msgspec.structs.replace(given, labels=None), "divide")
    fixed = read_manifest(given.fixed).clips
    assert {(clip.transcriber, clip.text, clip.label) for clip in fixed} == {
        ("ann", "Um, low.", "low"),
        ("ann", "Low.", "low"),
        ("feedback", "Low.", "low"),
    }
    assert len(fixed) == len(lines)


def drawn(of: Given, chances: dict[str, float]) -> Given:
    """The same, its labels by one who was asked by chance."""
    lines = []
    for key, (text, _) in whistles.said().items():
        said = {"feedback_id": key, "given_by": f"{LABELLED_BY}ann", "given_at_unix_us": 1, "said": text}
        heard = {
            "device_id": "board-0",
            "utterance_id": key,
            "transcript": "low",
            "answered_at": "2026-11-02T10:00:00Z",
        }
        lines.append(heard | {"label_chance": chances.get(key), "feedback": [said]})
    lines[-1]["spoken_at_unix_us"] = 1_795_910_400_000_000
    of.log.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    return msgspec.structs.replace(of, labels=None)


def test_a_card_says_what_it_was_made_from_and_names_nobody(given: Given) -> None:
    of = drawn(given, {"u0": 0.5, "u1": 0.1})
    upto(of, "divide")
    figures = {name: found.figures for name in NAMES if (found := retraining(of).done(name)) is not None}
    digest = hashlib.sha256(of.log.read_bytes()).hexdigest()[:16]
    log, base, before = learnt_from.sources(of, figures)
    assert log == (
        "log.jsonl: 24 utterances of 1 board, 2026-11-02 to 2026-11-29, labelled by 1, 2 of them drawn by chance, "
        f"sha256 {digest}"
    )
    assert base.startswith("base.jsonl: 24 clips, sha256 ")
    assert before.startswith("compared with whistles 1, sha256 ")
    assert next(learnt_from.sources(given, figures)).startswith("log.jsonl: ")
    assert len([*learnt_from.sources(given, figures)]) == 4


def heard(number: int, errors: float, chance: float | None = None) -> Outcome:
    return Outcome(path=f"u{number}", errors=errors, properties={} if chance is None else {CHANCE: chance})


def test_drawn_utterances_count_for_all_that_they_stand_for() -> None:
    """Of 100, 20 were unsure and wrong, all of them labelled; of the others, which were right, a quarter was."""
    chances = [1.0] * 20 + [0.25] * 20
    served = [heard(number, float(number < 20), chance) for number, chance in enumerate(chances)]
    better = [heard(number, float(number < 10), chance) for number, chance in enumerate(chances)]
    whole, use = judged([*served, heard(99, 1.0)], [*better, heard(99, 1.0)])[:2]
    assert whole.clips == 41
    assert whole.rate_before == 21 / 41
    assert (use.slice, use.clips) == (IN_USE, 40)
    assert use.rate_before == pytest.approx(0.2)
    assert use.rate_after == pytest.approx(0.1)
    assert (use.mended, use.verdict) == (10, "better")
    assert [one.slice for one in judged(served[:19], better[:19])] == [WHOLE]


@pytest.mark.parametrize("chances", [[None] * 30, [0.5] * 30])
def test_what_errs_more_is_offered_to_nobody(given: Given, tmp_path: Path, chances: list[float | None]) -> None:
    of = msgspec.structs.replace(given, offer=0.2)
    of.outcomes.mkdir(parents=True)
    for name, wrong in (("serving", 0.0), ("candidate", 1.0)):
        found = [heard(number, wrong, chance) for number, chance in enumerate(chances)]
        write_outcomes(of.outcomes / f"{name}.jsonl", found)
    with pytest.raises(DataError, match=r"No board is offered it: it errs more.*All the same: parrotlet-cloud models"):
        offering.offer(of, "so much better", lambda line: None)


def test_what_cannot_be_offered_says_why(given: Given, tmp_path: Path) -> None:
    _, _, _, settings = service(tmp_path)
    of = msgspec.structs.replace(given, offer=0.2, service=Path(settings))
    of.outcomes.mkdir(parents=True)
    for name in ("serving", "candidate"):
        write_outcomes(of.outcomes / f"{name}.jsonl", [heard(1, 0.0)])
    with pytest.raises(DataError, match=r"whistles-2: no board is offered it: .*card.json"):
        offering.offer(of, "as good", lambda line: None)


def test_what_is_labelled_in_other_words_is_none_of_the_commands_where_these_have_no_others(given: Given) -> None:
    """Nor what was rightly heard as nothing."""
    of = drawn(given, {})
    log = of.log.read_text().replace('"Low."', '"Middle."')
    nothing = {"feedback_id": "f", "given_by": f"{LABELLED_BY}ann", "given_at_unix_us": 2, "verdict": "right"}
    by = {"given_by": "phone"}
    heard = {"device_id": "board-0", "utterance_id": "u1", "transcript": "", "feedback": [nothing]}
    passing = {
        "device_id": "board-0",
        "utterance_id": "u3",
        "transcript": "",
        "feedback": [nothing | by],
    }
    lines = [line for line in log.splitlines() if '"u1"' not in line and '"u3"' not in line]
    of.log.write_text("\n".join([*lines, *(msgspec.json.encode(line).decode() for line in (heard, passing))]))
    upto(of, "divide")
    assert {clip.label for clip in read_manifest(of.fixed).clips} == {"high", None}
    assert len(read_manifest(of.fixed).clips) == 22
    exact = msgspec.structs.replace(of, exact=True)
    with pytest.raises(DataError, match="--exact: .* names no class of others"):
        upto(exact, "import")
    recipe = of.recipe_file.read_text().replace('"silence"]', '"silence", "unknown"]\nother = "unknown"')
    of.recipe_file.write_text(recipe)
    upto(msgspec.structs.replace(of, exact=True), "divide")
    fixed = {Path(clip.path).stem: (clip.label, clip.text) for clip in read_manifest(of.fixed).clips}
    assert {label for label, _ in fixed.values()} == {"high", "unknown"}
    assert (fixed["u0"], fixed["u1"]) == (("unknown", "Middle."), ("unknown", None))
    assert "u3" not in fixed


def test_an_utterance_is_learnt_from_where_something_is_said_in_it(given: Given) -> None:
    upto(given, "divide")
    clips = read_manifest(given.set).clips
    new = [clip for clip in clips if clip.slices["data"] == "new"]
    assert len(new) == whistles.BOARDS * whistles.EACH
    assert all(abs((clip.start_ms or 0) - 300) <= 40 for clip in new)
    assert {clip.slices["board"] for clip in new} == {f"board-{number}" for number in range(whistles.BOARDS)}
    assert {clip.label for clip in new} == {"low", "high"}
    assert {clip.split for clip in new} == {"train", "tune", "test"}
    without = read_manifest(given.base_set).clips
    assert without == [clip for clip in clips if clip.slices["data"] == "base"]


def test_boards_stand_for_speakers_and_known_ones_stay_where_they_were(given: Given) -> None:
    by_board = msgspec.structs.replace(given, each_utterance=False, test_share=0.4)
    base = given.base.read_text().replace('"s7"', '"board-1"')
    given.base.write_text(base)
    upto(by_board, "divide")
    parts: dict[str | None, set[str | None]] = {}
    for clip in read_manifest(given.set).clips:
        parts.setdefault(clip.speaker, set()).add(clip.split)
    assert all(len(found) == 1 for speaker, found in parts.items() if speaker)
    assert parts["board-1"] == {"test"}


def test_who_writes_um_as_it_is_agreed_is_not_asked(given: Given) -> None:
    texts = whistles.said() | {f"u{number}": ("Um, low.", "bea") for number in range(0, 8, 2)}
    texts |= {f"u{number}": ("Um, low.", "ann") for number in range(8, 16, 2)}
    whistles.write_labels(given, texts)
    assert run(given, "--until", "fix").exit_code == 0


@pytest.mark.parametrize("text", ["Um low.", "Umm, low.", "Um… low."])
def test_who_writes_um_in_another_way_is_asked_before_anything_is_trained(given: Given, text: str) -> None:
    texts = whistles.said() | {f"u{number}": (text, "bea") for number in range(0, 16, 2)}
    whistles.write_labels(given, texts)
    done = run(given, "--until", "fix")
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1].startswith("Nothing is trained: 8 of 8 labels of bea break what is agreed on")
    assert "--put-right fillers" in done.stderr
    assert not given.fixed.exists()
    assert given.check_page.exists()
    assert run(given, "--until", "fix", "--put-right", "fillers").exit_code == 0
    fixed = read_manifest(given.fixed).clips
    assert {clip.text for clip in fixed if clip.transcriber == "bea"} == {"Um, low."}
    assert {clip.label for clip in fixed if clip.transcriber == "bea"} == {"low"}


def test_who_leaves_every_um_out_is_told_by_the_others(given: Given) -> None:
    texts = {f"u{number}": ("Um, low." if number % 3 else "Low.", "ann") for number in range(12)}
    texts |= {f"u{number}": ("Low.", "bea") for number in range(12, 24)}
    whistles.write_labels(given, texts)
    with pytest.raises(DataError, match="bea writes no filler in 100% of 12 labels, the others in 33% of 12"):
        upto(given, "check")


def test_labels_that_contradict_each_other_are_left_out_and_those_of_one_who_thinks_again_are_not(given: Given) -> None:
    assert given.labels is not None
    lines = given.labels.read_text().splitlines()
    again = lines[0].replace("Low.", "High.")
    other = lines[1].replace("High.", "Low.").replace("ann", "bea")
    given.labels.write_text("\n".join([*lines, again, other, "{", ""]))
    told = upto(given, "import")
    assert any("u1 of board-1: transcribers do not agree" in line for line in told)
    assert any("this is no label of an utterance" in line for line in told)
    heard = {Path(clip.path).stem: clip.text for clip in read_manifest(given.heard).clips}
    assert heard["u0"] == "High."
    assert "u1" not in heard


def test_what_changed_is_done_again_and_what_was_before_it_is_not(given: Given) -> None:
    assert upto(given, "divide")
    given.base.write_text(given.base.read_text() + "\n")
    plan = {step.name: why for step, _, why in retraining(given).plan()}
    assert (plan["fix"], plan["divide"], plan["train"]) == ("", "the base changed", "after divide")
    assert given.labels is not None
    given.labels.write_text(given.labels.read_text().replace("High.", "Low.", 1))
    assert next(dry(given, None, None)).endswith("(the labels changed)")
    assert upto(given, "divide")[0].startswith("import: ")
    # How many steps the training without what is new has hangs on what is new.
    before = given.training(given.base_set)
    given.set.write_text(given.set.read_text().replace("u1.wav", "u2.wav", 1))
    assert given.training(given.base_set) != before
    given.set.unlink()
    assert {step.name: why for step, _, why in retraining(given).plan()}["divide"] == f"{given.set} is gone"


def without_sound(of: Given) -> Given:
    return msgspec.structs.replace(of, sound=None)


def without_test(of: Given) -> Given:
    of.base.write_text(of.base.read_text().replace('"test"', '"tune"'))
    return msgspec.structs.replace(of, test_share=0.0)


def leaking(of: Given) -> Given:
    of.base.write_text(of.base.read_text().replace('"s7"', '"s1"'))
    return of


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (without_sound, "no utterance of it has both a label and its sound"),
        (without_test, "has no clip of the split test"),
        (leaking, "the speaker s1 is in test .* and in train"),
        (lambda of: msgspec.structs.replace(of, version="1"), "give it another --version"),
        (lambda of: msgspec.structs.replace(of, serving=of.base.parent), "--serving .*card.json: No such file"),
        (lambda of: msgspec.structs.replace(of, put_right=("commas",)), "--put-right commas: is none of"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(
    given: Given, change: Callable[[Given], Given], sentence: str
) -> None:
    with pytest.raises(DataError, match=sentence):
        upto(change(given), "divide")


def test_two_do_not_work_in_one_folder(given: Given) -> None:
    with retraining(given), pytest.raises(DataError, match="somebody else is at work there"):
        upto(given, "import")


def test_a_step_that_fails_is_done_again_and_half_a_record_is_none(tmp_path: Path) -> None:
    calls: list[str] = []

    def work(tell: Any) -> dict[str, Any]:
        calls.append("done")
        if len(calls) == 1:
            raise DataError("no")
        (tmp_path / "result").write_text("r")
        return {"figure": 1}

    def of() -> Work:
        return Work(tmp_path, [Step("one", "a step", dict, (tmp_path / "result",), work)])

    with of() as first, pytest.raises(DataError):
        first.carry_out(lambda line: None)
    with of() as second:
        assert second.carry_out(lambda line: None) == {"one": {"figure": 1}}
        assert second.carry_out(lambda line: None) == {"one": {"figure": 1}}
    assert len(calls) == 2
    record = tmp_path / "steps" / "one.json"
    record.write_bytes(record.read_bytes()[:-3])
    assert [is_done for _, is_done, _ in of().plan()] == [False]


def test_the_loudest_stretch_is_found_and_a_short_clip_is_whole() -> None:
    draw = np.random.default_rng(1)
    sound = (300 * draw.standard_normal(3 * 16_000)).astype(np.int16)
    sound[16_000:24_000] += (5000 * draw.standard_normal(8000)).astype(np.int16)
    found = loudest(sound, 1000)
    assert found is not None
    assert 500 <= found[0] <= 1000
    assert found[1] - found[0] == 1000
    assert loudest(sound[:16_000], 1000) is None


def test_what_is_killed_goes_on_to_the_same_result() -> None:
    """The short form of `scripts/chaos retrain`, in a process that has computed nothing with TensorFlow yet."""
    pytest.importorskip("tensorflow")
    command = [sys.executable, "-m", "benchmarks.chaos_retrain", "--kills", "10", "--trained", "0", "--seed", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| kill -9, trained in no time | 10 | 10: " in done.stdout
