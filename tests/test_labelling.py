"""`parrotlet-cloud label`: what is drawn, shown, and kept."""

import asyncio
import json
import os
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from cloud.__main__ import main
from cloud.labelling.label_desk import LabelDesk
from cloud.labelling.label_queue import DAY_US, FIRST_DAYS, LabelQueue
from cloud.labelling.label_queue import FILE_NAME as QUEUE_NAME
from cloud.labelling.labelling import Candidate
from cloud.log.answer_log import FILE_NAME, SqliteAnswerLog
from cloud.log.answer_store import AnswerStore, Key, Span
from cloud.log.export_lines import log_lines
from cloud.log.reader import LogReader
from cloud.outcomes.convention import agreed_of
from models.importing.feedback import Feedback
from models.labels.definition import Definition
from protos import speech_pb2

COUNT = 12


def final(number: int) -> speech_pb2.Final:
    made = speech_pb2.Final(
        transcript=f"play song {number}",
        confidence=0.9,
        engine=speech_pb2.Engine(name="pocketsphinx", model="en-us"),
        alternatives=[speech_pb2.Alternative(transcript=f"pay song {number}")],
        results=[
            speech_pb2.SearchResult(id=f"song-{number}", title=f"Song {number}"),
            speech_pb2.SearchResult(id="other", title="Other"),
        ],
    )
    made.intent.name = "play"
    made.intent.slots["song"] = str(number)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a service that answered twelve utterances."""
    with SqliteAnswerLog(tmp_path / FILE_NAME) as log:
        for number in range(COUNT):
            asyncio.run(log.put(Key("kitchen", f"u-{number}"), final(number)))
    return tmp_path


def typed(folder: Path, keys: str, *options: str, labels_a_day: float = 100) -> Result:
    environment = {
        "PARROTLET_CLOUD_STORAGE_STATE_DIR": str(folder),
        "PARROTLET_CLOUD_DRIFT_LABELS_A_DAY": str(labels_a_day),
    }
    return CliRunner().invoke(main, ["label", "--as", "ann", *options], input=keys, env=environment)


def labels(folder: Path) -> list[speech_pb2.FeedbackRequest]:
    with closing(AnswerStore(folder / FILE_NAME)) as store:
        return [
            speech_pb2.FeedbackRequest.FromString(request) for one in store.everything() for request in one.feedback
        ]


def states(folder: Path) -> dict[str, int]:
    with closing(LabelQueue(folder / QUEUE_NAME)) as queue:
        found = {state: len(queue.of_state(state)) for state in ("waiting", "labelled", "skipped", "unclear")}  # type: ignore[arg-type]
    return {state: count for state, count in found.items() if count}


def test_each_answer_becomes_feedback_by_the_labeller(folder: Path) -> None:
    result = typed(folder, "r\nw\n2\nt play sang four\ns\nc\nq\n")
    assert result.exit_code == 0, result.output
    found = labels(folder)
    assert {one.given_by for one in found} == {"label.ann"}
    verdicts = [one.verdict for one in found]
    right, wrong = speech_pb2.VERDICT_RIGHT, speech_pb2.VERDICT_WRONG
    assert verdicts == [right, wrong, wrong, wrong]
    assert found[2].result_id == "other"
    assert found[3].transcript == "play sang four"
    assert all(one.of_transcript.startswith("play song") for one in found)
    assert states(folder) == {"waiting": COUNT - 6, "labelled": 4, "skipped": 1, "unclear": 1}


def test_it_shows_what_was_heard_and_found_and_where_the_sound_is(folder: Path) -> None:
    (folder / "sound").mkdir()
    (folder / "sound" / "u-0.flac").touch()
    shown = typed(folder, "q\n", "--sound", str(folder / "sound")).output
    for expected in (
        "1 of 12",
        "play song 0",
        "pay song 0",
        "90 % sure",
        "Song 0 [song-0]",
        "play: song 0",
        "u-0.flac",
    ):
        assert expected in shown
    assert "was not kept" in typed(folder, "q\n").output


def test_what_was_labelled_comes_no_more_and_what_was_skipped_comes_last(folder: Path) -> None:
    typed(folder, "s\nr\nq\n")
    shown = typed(folder, "")
    assert shown.exit_code == 0, shown.output
    assert f"1 of {COUNT - 1}" in shown.output
    assert "play song 2" in shown.output
    typed(folder, "r\n" * (COUNT - 2))
    last = typed(folder, "q\n").output
    assert "1 of 1" in last
    assert "play song 0" in last


def test_writing_that_is_not_agreed_is_asked_about(folder: Path) -> None:
    file = folder / "data-definition.toml"
    file.write_text('[numbers]\nwrite = "words"\n[punctuation]\nwrite = "free"\n[letter_case]\nwrite = "lower"\n')
    result = typed(folder, "t play song 10\nn\nplay song ten\nq\n", "--definition", str(file))
    assert "writes numbers in words" in result.output
    assert [one.transcript for one in labels(folder)] == ["play song ten"]


@pytest.mark.parametrize("typed_keys", ["x\n", "9\n", "a\n", "\n", ""])
def test_what_is_no_answer_keeps_nothing(folder: Path, typed_keys: str) -> None:
    result = typed(folder, typed_keys)
    assert result.exit_code == 0, result.output
    assert labels(folder) == []


def test_a_label_goes_the_way_of_feedback_into_training(folder: Path) -> None:
    typed(folder, "t play sang zero\nq\n")
    with closing(AnswerStore(folder / FILE_NAME)) as store:
        told = [json.loads(line) for line in log_lines(store)]
    (said,) = [one for line in told for one in line["feedback"]]
    feedback = msgspec.convert(said, Feedback)
    assert (feedback.given_by, feedback.said, feedback.verdict) == ("label.ann", "play sang zero", "wrong")


def test_the_export_says_with_which_chance_an_utterance_was_drawn(folder: Path) -> None:
    def exported() -> dict[str, float | None]:
        environment = {"PARROTLET_CLOUD_STORAGE_STATE_DIR": str(folder)}
        done = CliRunner().invoke(main, ["log", "export", str(folder / "log.jsonl")], env=environment)
        assert done.exit_code == 0, done.output
        lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
        return {line["utterance_id"]: line.get("label_chance") for line in lines}

    assert set(exported().values()) == {None}
    assert not (folder / QUEUE_NAME).exists()
    typed(folder, "r\nq\n", labels_a_day=6 / FIRST_DAYS)
    typed(folder, "q\n", "--text", "song 11")
    chances = exported()
    with closing(LabelQueue(folder / QUEUE_NAME)) as queue:
        states = [*queue.of_state("waiting"), *queue.of_state("labelled")]
        drawn = {one.utterance_id: one.probability for one in states if one.probability is not None}
        assert queue.chances() == {("kitchen", name): chance for name, chance in drawn.items()}
    assert drawn
    assert {name: chance for name, chance in chances.items() if chance is not None} == drawn
    assert set(drawn.values()) == {0.5}


def test_people_who_contradict_each_other_are_shown(folder: Path) -> None:
    with SqliteAnswerLog(folder / FILE_NAME) as log:
        for by, verdict in (("phone-1", speech_pb2.VERDICT_RIGHT), ("phone-2", speech_pb2.VERDICT_WRONG)):
            request = speech_pb2.FeedbackRequest(
                device_id="kitchen", utterance_id="u-0", feedback_id=by, given_by=by, verdict=verdict
            )
            asyncio.run(log.give(request))
    shown = typed(folder, "q\n").output
    for expected in ("phone-1: right", "phone-2: wrong", "contradict"):
        assert expected in shown


def test_words_that_are_picked_count_for_no_rate(folder: Path) -> None:
    result = typed(folder, "r\n", "--text", "song 7", labels_a_day=0)
    assert "1 of 1" in result.output
    with closing(LabelQueue(folder / QUEUE_NAME)) as queue:
        (one,) = queue.of_state("labelled")
    assert (one.utterance_id, one.probability, one.labeller) == ("u-7", None, "ann")
    assert "Nothing like that" in typed(folder, "", "--text", "no such").output


def test_the_list_tells_what_became_of_them(folder: Path) -> None:
    typed(folder, "r\nq\n")
    listed = typed(folder, "", "--list").output
    assert "waiting   11" in listed
    assert "labelled  1 by ann" in listed


def test_a_rate_of_few_labels_is_told_as_little_known(folder: Path) -> None:
    for keys in ("r\nr\nw\nq\n", "r\n" * COUNT):
        typed(folder, keys)
        told = typed(folder, "", "--list").output
        (low, high) = map(int, re.findall(r"\((\d+) to (\d+) %\) of answers are wrong", told)[0])
        assert high - low > 20
        assert "more tell it to within 5 points" in told


def test_what_is_forgotten_waits_no_longer(folder: Path) -> None:
    typed(folder, "q\n")
    with closing(AnswerStore(folder / FILE_NAME)) as store:
        store.forget("kitchen", "u-3", Span())
    typed(folder, "q\n")
    assert states(folder) == {"waiting": COUNT - 1}


def test_without_a_log_or_a_name_it_says_so(tmp_path: Path, folder: Path) -> None:
    nowhere = typed(tmp_path / "none", "")
    assert (nowhere.exit_code, "no answers' log" in nowhere.output) == (2, True)
    for options in (["--as", "a b"], ["--definition", str(folder / "none.toml")]):
        result = typed(folder, "", *options)
        assert result.exit_code == 2
        assert result.output.count("\n") == 1


def test_draws_have_their_budget_by_the_day_and_are_kept(tmp_path: Path) -> None:
    def batch(first: int, count: int) -> list[Candidate]:
        return [Candidate("kitchen", f"u-{number}", 0.5) for number in range(first, first + count)]

    with closing(LabelQueue(tmp_path / "q.db")) as queue:
        assert queue.draw(batch(0, 3000), 30, 5, 0) == pytest.approx(30 * FIRST_DAYS, abs=60)
        assert queue.drawn_until_unix_us == 5
        assert queue.draw(batch(3000, 3000), 100, 6, 2 * DAY_US) == pytest.approx(200, abs=60)
        assert queue.draw(batch(6000, 3000), 100, 7, 2 * DAY_US) <= 3
        before = queue.of_state("waiting")
    with closing(LabelQueue(tmp_path / "q.db")) as queue:
        assert queue.of_state("waiting") == before
        assert all(one.probability is not None and 0 < one.probability < 1 for one in before)
        assert queue.keep_only(lambda *key: key == ("kitchen", before[0].utterance_id)) == len(before) - 1


def test_what_was_in_a_draw_is_in_no_other(folder: Path) -> None:
    with (
        closing(AnswerStore(folder / FILE_NAME)) as store,
        closing(LogReader(folder / FILE_NAME)) as reader,
        closing(LabelQueue(folder / QUEUE_NAME)) as queue,
    ):
        desk = LabelDesk(store, reader, queue, 0.3, 100)
        drawn = desk.draw(0)
        assert drawn < COUNT
        assert desk.draw(30 * DAY_US) == 0
        assert len(desk.waiting()) == drawn


def test_why_each_was_chosen_is_told(folder: Path) -> None:
    with closing(LabelQueue(folder / QUEUE_NAME)) as queue:
        candidates = [Candidate("kitchen", f"u-{number}", float(number == 0)) for number in range(COUNT)]
        queue.draw(candidates, 1.0, 2**60, 0)
        queue.pick("kitchen", "u-11")
        drawn = len(queue.of_state("waiting"))
    assert drawn < COUNT
    shown = typed(folder, "r\n" * drawn).output
    chosen = [line.strip() for line in shown.splitlines() if "  chosen  " in line]
    assert len(chosen) == drawn
    assert chosen[0] == "chosen   the service was 90 % sure"
    assert set(chosen[1:-1]) == {"chosen   drawn by chance, one of 3, so that rates hold for all"}
    assert chosen[-1] == "chosen   somebody asked for its words"
    # What was picked counts for no rate.
    assert f"{drawn - 1} labels: " in typed(folder, "", "--list").output


def test_a_command_that_is_killed_leaves_what_was_labelled(folder: Path) -> None:
    code = (
        "import os, sys\nfrom cloud.labelling.label_desk import LabelDesk\n"
        "take = LabelDesk.settle\n"
        "LabelDesk.settle = lambda *a: os.kill(os.getpid(), 9)\n"
        "from cloud.__main__ import main\nmain(['label', '--as', 'ann'])\n"
    )
    environment = {"PARROTLET_CLOUD_STORAGE_STATE_DIR": str(folder), "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-c", code], input=b"r\n", env=environment, check=False, capture_output=True)
    assert len(labels(folder)) == 1
    # It waits on, and whoever says it again says the same.
    assert typed(folder, "r\nq\n").exit_code == 0
    assert {one.verdict for one in labels(folder)} == {speech_pb2.VERDICT_RIGHT}


def test_the_agreement_is_read_as_the_data_work_writes_it() -> None:
    agreed = agreed_of(msgspec.to_builtins(Definition()))
    assert agreed == {
        "filler_comma": True,
        "filler_ellipsis": False,
        "numbers_in_words": True,
        "stop": True,
        "capital": True,
        "straight": True,
    }
    assert agreed_of({"numbers": {"write": "free"}}) == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_draws_is_the_services(folder: Path) -> None:
    os.chown(folder, 1234, 1234)
    os.chown(folder / FILE_NAME, 1234, 1234)
    assert typed(folder, "q\n").exit_code == 0
    made = (folder / QUEUE_NAME).stat()
    assert (made.st_uid, made.st_mode & 0o777) == (1234, 0o600)
