"""The operator's page hands labels on."""

from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.made_operator import made_operator, made_settings
from cloud.__main__ import main
from cloud.alerts.alert_sinks import FILE_NAME as ALERTS_FILE
from cloud.labelling.label_desk import KNOWN_WITHIN
from cloud.labelling.label_queue import FILE_NAME as QUEUE_FILE
from cloud.labelling.label_queue import LabelQueue
from cloud.log.answer_log import FILE_NAME
from cloud.log.answer_store import AnswerStore
from cloud.log.reader import LogReader
from cloud.operating.standing import StandingAlerts
from cloud.operating.told import Desk
from cloud.outcomes.error_rate import wanted
from cloud.settings import CloudSettings
from common.errors import DataError
from tests.test_operating import Site
from tests.test_outcome_following import keep
from tests.test_outcome_watch import talk


@pytest.fixture
def settings(tmp_path: Path) -> CloudSettings:
    return made_settings(tmp_path)


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


def test_without_a_log_nothing_waits(settings: CloudSettings) -> None:
    desk = Desk(settings)
    assert (desk.waiting(10), desk.draw(), desk.needs()) == ((), 0, "")


def test_who_opens_the_page_draws_as_the_command_does(settings: CloudSettings) -> None:
    folder = settings.storage.state_dir
    keep(folder, talk(300, 0, lambda drink: False))
    with made_operator(settings, StandingAlerts(settings), Desk(settings, unix_us=lambda: 7)) as (address, operators):
        site = Site(address, operators, folder)
        cookie = site.signed_in()
        page = site.ask("/labels", cookie=cookie).text
        assert f"Nobody has labelled yet: {wanted([], KNOWN_WITHIN)} labels" in page
        assert "so that rates hold for all" in page or "% sure" in page
        drawn = states(folder)["waiting"]
        assert 30 < len(drawn) < 120
        # All were in a draw, however often somebody looks.
        assert site.ask("/labels", {}, cookie=cookie).headers["location"] == "/labels?none"
        site.ask("/label", {"board": "counter", "id": drawn[0], "says": "right"}, cookie=cookie)
        assert "1 label: " in site.ask("/labels", cookie=cookie).text
    (folder / QUEUE_FILE).unlink()
    environment = {"PARROTLET_CLOUD_STORAGE_STATE_DIR": str(folder)}
    listed = CliRunner().invoke(main, ["label", "--list"], env=environment)
    assert listed.exit_code == 0, listed.output
    assert states(folder)["waiting"] == drawn
