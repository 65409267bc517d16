"""The operator's page is told of what stands, and hands labels on."""

from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.made_log import DAY_US, Made, make_log
from benchmarks.made_operator import made_operator, made_settings, now_us
from cloud.alerts.alert_sinks import FILE_NAME as ALERTS_FILE
from cloud.alerts.alerts import AlertBook, recover, report
from cloud.labelling.label_queue import FILE_NAME as QUEUE_FILE
from cloud.labelling.label_queue import LabelQueue
from cloud.log.answer_log import FILE_NAME
from cloud.log.answer_store import AnswerStore
from cloud.log.reader import LogReader
from cloud.operating.told import Desk, StandingAlerts
from cloud.settings import CloudSettings
from common.errors import DataError
from common.record import Record
from tests.test_operating import Site
from tests.test_outcome_following import keep
from tests.test_outcome_watch import talk


@pytest.fixture
def settings(tmp_path: Path) -> CloudSettings:
    return made_settings(tmp_path)


def test_what_stands_is_told_the_newest_first(settings: CloudSettings) -> None:
    told = StandingAlerts(settings)
    assert told.drifted() == []
    with Record(settings.storage.state_dir / ALERTS_FILE, AlertBook).change() as book:
        report(book, "noise", "kitchen", "Board kitchen: noise floor up 12 dB.", 1)
        report(book, "gain", "hall", "Board hall: quieter.", 2)
        report(book, "concept-meaning-word-latte", "", 'What is right for "latte" has changed.', 3)
        recover(book, "gain", "hall", 4)
    assert [(one.stream, one.told_unix_us) for one in told.drifted()] == [("All boards", 3), ("kitchen", 1)]
    assert told.drifted()[1].advice == "Not so? parrotlet-cloud alerts wrong 1"


def test_a_noise_is_shown_by_the_days_of_its_board(settings: CloudSettings) -> None:
    folder, now = settings.storage.state_dir, now_us()
    make_log(folder, [Made("kitchen", "noisy", -60.0, -30.0)], 400, now)
    with Record(folder / ALERTS_FILE, AlertBook).change() as book:
        report(book, "noise", "kitchen", "Board kitchen: noise floor up 11 dB.", now - 2 * DAY_US)
        for cause, where in (("noise", "upstairs"), ("intents", "kitchen"), ("noise", "")):
            report(book, cause, where, "Something else.", now)
    *others, noisy = StandingAlerts(settings, unix_us=lambda: now).drifted()
    assert [one.series for one in others] == [(), (), ()]
    floor, over = noisy.series
    assert (floor.title, over.title) == ("Noise floor, dBFS", "Speech over noise, dB")
    assert len(floor.values) == len(floor.days) == 28
    assert floor.usual == pytest.approx((-64, -56), abs=1)
    assert floor.values[0] == pytest.approx(-60, abs=2)
    assert floor.values[-1] == pytest.approx(-49, abs=2)
    assert over.values[-1] == pytest.approx(19, abs=2)
    (folder / FILE_NAME).write_bytes(b"no database" * 1000)
    assert [one.series for one in StandingAlerts(settings, unix_us=lambda: now).drifted()] == [()] * 4


@pytest.fixture
def desk(settings: CloudSettings) -> Desk:
    folder = settings.storage.state_dir
    keep(folder, talk(5, 0, lambda drink: False))
    with closing(LabelQueue(folder / QUEUE_FILE)) as queue:
        for number in (1, 2, 3, 4, 99):
            queue.pick("counter", f"u-{number}")
    return Desk(settings, unix_us=lambda: 7)


def states(folder: Path) -> dict[str, list[str]]:
    with closing(LabelQueue(folder / QUEUE_FILE)) as queue:
        return {
            state: [one.utterance_id for one in queue.of_state(state)]
            for state in ("waiting", "labelled", "unclear", "skipped")
        }


def test_labels_go_where_those_of_the_terminal_go(settings: CloudSettings, desk: Desk) -> None:
    folder = settings.storage.state_dir
    # Of one that was forgotten meanwhile nothing is shown.
    assert [one.utterance_id for one in desk.waiting(10)] == ["u-1", "u-2", "u-3", "u-4"]
    assert len(desk.waiting(2)) == 2
    desk.take("counter", "u-1", "right", "", "ann")
    desk.take("counter", "u-2", "text", "a big latte", "ann")
    desk.take("counter", "u-3", "skip", "", "ann")
    # Somebody else may.
    assert [one.utterance_id for one in desk.waiting(10)] == ["u-4", "u-3"]
    desk.take("counter", "u-3", "unclear", "", "ann")
    desk.take("counter", "u-4", "skip", "", "ann")
    assert states(folder) == {
        "waiting": ["u-99"],
        "labelled": ["u-1", "u-2"],
        "unclear": ["u-3"],
        "skipped": ["u-4"],
    }
    with closing(LogReader(folder / FILE_NAME)) as reader:
        first, second = reader.one("u-1"), reader.one("u-2")
    assert first is not None and second is not None
    assert [(said.given_by, said.verdict, said.given_at_unix_us) for said in first.feedback] == [("label.ann", 1, 7)]
    assert [said.transcript for said in second.feedback] == ["a big latte"]


def test_what_waits_no_more_is_refused(settings: CloudSettings, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    # However much is in the log: one utterance is read.
    with monkeypatch.context() as patched:
        patched.delattr(AnswerStore, "everything")
        desk.take("counter", "u-1", "right", "", "ann")
    with pytest.raises(DataError, match="no label any more"):
        desk.take("counter", "u-1", "wrong", "", "bob")
    with closing(AnswerStore(settings.storage.state_dir / FILE_NAME)) as store:
        assert sum(len(one.feedback) for one in store.everything()) == 1


@pytest.mark.parametrize("file", [QUEUE_FILE, ALERTS_FILE, FILE_NAME])
def test_a_damaged_file_is_told_in_a_sentence(settings: CloudSettings, desk: Desk, file: str) -> None:
    damaged = settings.storage.state_dir / file
    with made_operator(settings, StandingAlerts(settings), desk) as (address, operators):
        site = Site(address, operators, settings.storage.state_dir)
        cookie = site.signed_in()
        damaged.write_bytes(b"no database, and no JSON" * 100)
        pages = (
            [site.ask("/drift", cookie=cookie)]
            if file == ALERTS_FILE
            else [
                site.ask("/labels", cookie=cookie),
                site.ask("/label", {"board": "counter", "id": "u-1", "says": "right"}, cookie=cookie),
            ]
        )
    for page in pages:
        assert (page.status, str(damaged) in page.text) == (503, True)


def test_without_a_draw_nothing_waits(settings: CloudSettings) -> None:
    assert Desk(settings).waiting(10) == ()
