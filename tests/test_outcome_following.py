"""A service notices that what is right has changed, by what people say of its answers, and tells it once."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from cloud.alerts.alerts import FILE_NAME as ALERTS_FILE
from cloud.alerts.alerts import AlertBook
from cloud.alerts.ringing import Ringing
from cloud.labelling.label_queue import FILE_NAME as QUEUE_FILE_NAME
from cloud.labelling.label_queue import LabelQueue
from cloud.labelling.labelling import Candidate
from cloud.log.answer_log import FILE_NAME
from cloud.log.answer_store import AnswerStore, FeedbackRow, Key, Row, Span
from cloud.log.record import Record as Kept
from cloud.outcomes.convention import ConventionWatch, Written
from cloud.outcomes.outcome_following import BATCH, BEHIND_US, OutcomeFollowing
from cloud.outcomes.outcome_watch import REFERENCE, Answer, Change, OutcomeWatch
from common.errors import SettingsError
from common.record import Record
from protos import speech_pb2
from tests.test_outcome_watch import label, talk

END_US = 2_000_000_000_000_000


def keep(folder: Path, answers: Iterable[Answer]) -> None:
    """As the service does, each answered when it was spoken."""
    with closing(AnswerStore(folder / FILE_NAME)) as store:
        for one in answers:
            at_us = one.facts.at_unix_us or 0
            key = Key(one.facts.device_id, one.facts.utterance_id)
            record = Kept(one.facts, one.final.transcript, b"", b"", None)
            store.add([Row(key, one.final.SerializeToString(), at_us, record=record)], 1_000_000)
            for said in one.requests:
                store.give(FeedbackRow(key, said.feedback_id, 1, 1, said.SerializeToString()), 1_000_000)


def give(folder: Path, labels: Sequence[speech_pb2.FeedbackRequest], first: int) -> None:
    """Each of an utterance, from the first on."""
    with closing(AnswerStore(folder / FILE_NAME)) as store:
        for number, said in enumerate(labels, first):
            key = Key("counter", f"u-{number}")
            store.give(FeedbackRow(key, said.feedback_id, 1, 1, said.SerializeToString()), 1_000_000)


def follow(folder: Path, now_us: int = END_US) -> list[str]:
    """A service runs for a while; the sentences of all alerts so far."""
    ringing = Ringing(folder, [])
    with OutcomeFollowing(folder / FILE_NAME, folder, ringing, unix_us=lambda: now_us) as following:
        while following.look():
            pass
    return [alert.sentence for alert in Record(folder / ALERTS_FILE, AlertBook).read().alerts]


def _numbered(count: int, first: int) -> list[tuple[int, Answer]]:
    return list(enumerate(talk(count, first, calm), first))


def calm(drink: str) -> bool:
    return False


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keep(tmp_path, talk(REFERENCE + 20, 0, calm))
    return tmp_path


def test_a_word_that_means_something_else_is_told_once_also_after_restarts(folder: Path) -> None:
    assert follow(folder) == []
    keep(folder, talk(200, 1000, lambda drink: drink == "latte"))
    [sentence] = follow(folder)
    assert sentence.startswith("What is right for") and "latte" in sentence
    assert follow(folder) == [sentence]
    with Record(folder / ALERTS_FILE, AlertBook).change() as book:
        book.alerts.clear()
    # What was told before is not found again, though it is learnt again.
    assert follow(folder) == []


def test_a_start_learns_the_reference_and_the_newest_and_finds_the_end_of_what_was_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(folder, talk(900, 1000, calm))
    keep(folder, talk(200, 2000, lambda drink: drink == "latte"))
    assert len(follow(folder)) == 1
    pushed: list[str] = []
    push = OutcomeWatch.push

    def counting(watch: OutcomeWatch, answer: Answer) -> list[Change]:
        pushed.append(answer.facts.utterance_id)
        return push(watch, answer)

    monkeypatch.setattr(OutcomeWatch, "push", counting)
    monkeypatch.setattr("cloud.outcomes.outcome_following.LEARN_NEWEST", 300)
    keep(folder, talk(400, 3000, calm))
    assert len(follow(folder)) == 1
    # The reference is that of before, and what lies between is not read.
    assert pushed[0] == "u-0"
    before = pushed.index("u-3000")
    assert REFERENCE + 300 <= before <= REFERENCE + 300 + 2 * BATCH
    [alert] = Record(folder / ALERTS_FILE, AlertBook).read().alerts
    assert alert.state == "over"


def test_a_word_that_was_erased_before_it_is_told_is_not_told(folder: Path) -> None:
    later = list(talk(200, 1000, lambda drink: drink == "latte"))
    keep(folder, later)

    class Erasing(Ringing):
        def take_outcomes(self, found: Iterable[Change]) -> None:
            with closing(AnswerStore(folder / FILE_NAME)) as store:
                for one in [*talk(REFERENCE + 20, 0, calm), *later]:
                    if "latte" in one.final.transcript:
                        store.forget(one.facts.device_id, one.facts.utterance_id, Span())
            super().take_outcomes(found)

    with OutcomeFollowing(folder / FILE_NAME, folder, Erasing(folder, []), unix_us=lambda: END_US) as following:
        while following.look():
            pass
    assert Record(folder / ALERTS_FILE, AlertBook).read().alerts == []


def test_what_people_say_is_waited_for(folder: Path) -> None:
    later = list(talk(200, 1000, lambda drink: drink == "latte"))
    keep(folder, later)
    last_us = later[-1].facts.at_unix_us or 0
    assert follow(folder, now_us=(later[0].facts.at_unix_us or 0) + BEHIND_US) == []
    assert len(follow(folder, now_us=last_us + BEHIND_US + 1_000_000)) == 1


def test_a_labeller_who_writes_otherwise_is_told_of_late_labels(folder: Path) -> None:
    give(folder, [label(number, "um, ten lattes", "ann") for number in range(60)], 0)
    keep(folder, talk(120, 1000, calm))
    assert follow(folder) == []
    give(folder, [label(number, "um ten lattes", "bob") for number in range(1000, 1060)], 1000)
    [sentence] = follow(folder)
    assert sentence.startswith("bob labels by another agreement")


def test_what_is_said_of_an_answer_counts_once_also_where_it_was_said_while_nobody_followed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []

    def push(watch: ConventionWatch, written: Written) -> None:
        counted.append(written.text)

    keep(folder, talk(20, 1000, calm))
    give(folder, [label(0, "of the reference", "ann")], 0)
    assert follow(folder) == []
    monkeypatch.setattr(ConventionWatch, "push", push)
    give(folder, [label(number, f"of before {number}", "ann") for number in range(1000, 1005)], 1000)
    later = [one._replace(requests=[label(number, f"of now {number}", "ann")]) for number, one in _numbered(20, 2000)]
    keep(folder, later)
    follow(folder)
    first = list(counted)
    assert len(first) == len(set(first)) == 5 + len(later) - 1
    # Learnt again, and no more.
    follow(folder)
    assert sorted(counted[len(first) :]) == sorted(first)


@pytest.mark.parametrize("is_drawn", [True, False])
def test_of_late_labels_those_count_that_were_drawn_by_chance(folder: Path, is_drawn: bool) -> None:
    keep(folder, talk(60, 1000, calm))
    if is_drawn:
        with closing(LabelQueue(folder / QUEUE_FILE_NAME)) as queue:
            queue.draw([Candidate("counter", f"u-{number}", 1.0) for number in range(1000, 1060)], 1e6, 1, 1)
    assert follow(folder) == []
    give(folder, [label(number, "something else", "ann") for number in range(1000, 1060)], 1000)
    assert len(follow(folder)) == is_drawn


def test_a_queue_that_cannot_be_read_is_said(folder: Path) -> None:
    (folder / QUEUE_FILE_NAME).write_bytes(b"no database" * 1000)
    with pytest.raises(SettingsError, match="what waits for labels cannot be read"):
        follow(folder)


def test_an_older_copy_of_the_log_is_followed_from_its_end(folder: Path) -> None:
    older = (folder / FILE_NAME).read_bytes()
    keep(folder, talk(200, 1000, calm))
    assert follow(folder) == []
    (folder / FILE_NAME).write_bytes(older)
    assert follow(folder) == []
    keep(folder, talk(200, 1000, lambda drink: drink == "latte"))
    assert len(follow(folder)) == 1


def test_without_a_log_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="There is no utterance log"):
        follow(tmp_path)


def test_feedback_of_people_is_no_label(folder: Path) -> None:
    keep(folder, talk(5, 1000, calm))
    with closing(AnswerStore(folder / FILE_NAME)) as store:
        said = speech_pb2.FeedbackRequest(feedback_id="f", given_by="phone", verdict=speech_pb2.VERDICT_WRONG)
        store.give(FeedbackRow(Key("counter", "u-1001"), "f", 1, 1, said.SerializeToString()), 1_000_000)
    assert follow(folder) == []
