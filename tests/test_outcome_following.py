"""A service notices that what is right has changed, by what people say of its answers, and tells it once."""

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest

from cloud.alerts.alert_sinks import FILE_NAME as ALERTS_FILE
from cloud.alerts.alerts import AlertBook
from cloud.alerts.ringing import Ringing
from cloud.log.answer_log import FILE_NAME
from cloud.log.answer_store import AnswerStore, FeedbackRow, Key, Row
from cloud.log.record import Record as Kept
from cloud.outcomes.outcome_following import BEHIND_US, OutcomeFollowing
from cloud.outcomes.outcome_watch import REFERENCE, Answer
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


def follow(folder: Path, now_us: int = END_US) -> list[str]:
    """A service runs for a while; the sentences of all alerts so far."""
    ringing = Ringing(folder, [])
    with OutcomeFollowing(folder / FILE_NAME, folder, ringing, unix_us=lambda: now_us) as following:
        while following.look():
            pass
    return [alert.sentence for alert in Record(folder / ALERTS_FILE, AlertBook).read().alerts]


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


def test_what_people_say_is_waited_for(folder: Path) -> None:
    later = list(talk(200, 1000, lambda drink: drink == "latte"))
    keep(folder, later)
    last_us = later[-1].facts.at_unix_us or 0
    assert follow(folder, now_us=(later[0].facts.at_unix_us or 0) + BEHIND_US) == []
    assert len(follow(folder, now_us=last_us + BEHIND_US + 1_000_000)) == 1


def test_a_labeller_who_writes_otherwise_is_told_of_late_labels(folder: Path) -> None:
    def labelled(numbers: range, by: str, text: str) -> None:
        with closing(AnswerStore(folder / FILE_NAME)) as store:
            for number in numbers:
                said = label(number, text, by)
                said.device_id, said.utterance_id = "counter", f"u-{number}"
                key = Key("counter", f"u-{number}")
                store.give(FeedbackRow(key, said.feedback_id, 1, 1, said.SerializeToString()), 1_000_000)

    labelled(range(60), "ann", "um, ten lattes")
    keep(folder, talk(120, 1000, calm))
    assert follow(folder) == []
    labelled(range(1000, 1060), "bob", "um ten lattes")
    [sentence] = follow(folder)
    assert sentence.startswith("bob labels by another agreement")


def test_without_a_log_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="There is no utterance log"):
        follow(tmp_path)


def test_feedback_of_people_is_no_label(folder: Path) -> None:
    keep(folder, talk(5, 1000, calm))
    with closing(AnswerStore(folder / FILE_NAME)) as store:
        said = speech_pb2.FeedbackRequest(feedback_id="f", given_by="phone", verdict=speech_pb2.VERDICT_WRONG)
        store.give(FeedbackRow(Key("counter", "u-1001"), "f", 1, 1, said.SerializeToString()), 1_000_000)
    assert follow(folder) == []
