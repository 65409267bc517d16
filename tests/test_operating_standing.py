"""What stands is told with what shows it, from the log of the service."""

import re
import shlex
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from benchmarks.made_facts import MadeBoard
from benchmarks.made_log import DAY_US, Made, make_log
from benchmarks.made_operator import made_operator, made_settings, now_us
from benchmarks.made_said import make_said
from cloud.__main__ import main
from cloud.alerts.alerts import FILE_NAME as ALERTS_FILE
from cloud.alerts.alerts import AlertBook, recover, report
from cloud.alerts.ringing import Ringing
from cloud.alerts.what_to_type import what_to_type
from cloud.drift.facts import Facts
from cloud.drift.features import NAMES
from cloud.drift.following import Following
from cloud.log.answer_log import FILE_NAME
from cloud.log.reader import LogReader
from cloud.log.wanted import Wanted
from cloud.operating.measures import OF_FEATURES
from cloud.operating.seams import Drifted
from cloud.operating.standing import StandingAlerts
from cloud.settings import Boards, CloudSettings, Group
from common.record import Record
from tests.test_drift_following import LEARNT, keep
from tests.test_operating import Site

BOARDS = [Made("kitchen", "noisy", -60.0, -30.0), Made("hall", "", -58.0, -28.0)]


@pytest.fixture
def settings(tmp_path: Path) -> CloudSettings:
    return made_settings(tmp_path)


def stand(settings: CloudSettings, cause: str, where: str, now: int) -> None:
    with Record(settings.storage.state_dir / ALERTS_FILE, AlertBook).change() as book:
        report(book, cause, where, f"Something of {where}.", now, since_unix_us=now - 2 * DAY_US)


def headings(one: Drifted) -> list[str]:
    return [plot.heading for plot in one.plots]


def test_what_stands_is_told_the_newest_first(settings: CloudSettings) -> None:
    told = StandingAlerts(settings)
    assert told.drifted() == []
    with Record(settings.storage.state_dir / ALERTS_FILE, AlertBook).change() as book:
        report(book, "noise", "kitchen", "Board kitchen: noise floor up 12 dB.", 1)
        report(book, "gain", "hall", "Board hall: quieter.", 2)
        report(book, "concept-meaning-word-latte", "", 'What is right for "latte" has changed.', 3)
        recover(book, "gain", "hall", 4)
    concept, noise = told.drifted()
    assert (concept.stream, concept.board, concept.told_unix_us) == ("All boards", None, 3)
    assert (noise.stream, noise.board, noise.told_unix_us) == ("kitchen", "kitchen", 1)
    assert [one.command for one in concept.commands] == ["parrotlet-cloud label", "parrotlet-cloud alerts wrong 3"]


@pytest.mark.parametrize(
    ("cause", "where", "begins"),
    [
        ("noise", "kitchen", "parrotlet-cloud log export --device kitchen --since 2"),
        ("words", "kitchen", "parrotlet-cloud log query --device kitchen --since 2"),
        ("noise", "Group home", "parrotlet-cloud log export --since 2"),
        ("concept-meaning-word-latte", "", "parrotlet-cloud label"),
    ],
)
def test_what_to_type_can_be_typed(tmp_path: Path, cause: str, where: str, begins: str) -> None:
    command = what_to_type(cause, where, now_us())
    assert command.startswith(begins)
    environment = {"PARROTLET_CLOUD_STORAGE_STATE_DIR": str(tmp_path)}
    if cause.startswith("concept"):
        command = what_to_type(cause, where, now_us(), ["latte"])
        assert command == "parrotlet-cloud label --text latte"
    typed = CliRunner().invoke(main, shlex.split(command)[1:], env=environment)
    assert typed.output.startswith("There is no ") and " log at " in typed.output


def test_a_command_that_was_told_is_shown_with_what_it_is_good_for(settings: CloudSettings) -> None:
    with Record(settings.storage.state_dir / ALERTS_FILE, AlertBook).change() as book:
        report(book, "noise", "kitchen", "It is noise.", 1, command="parrotlet-cloud log export x.jsonl")
    (one,) = StandingAlerts(settings).drifted()
    assert one.commands[0] == ("Collect them for training", "parrotlet-cloud log export x.jsonl")
    assert len(one.commands) == 2


def test_what_a_change_was_thought_to_be_is_shown(settings: CloudSettings) -> None:
    with Record(settings.storage.state_dir / ALERTS_FILE, AlertBook).change() as book:
        for number, cause in enumerate(("gain", "clipping", "noise")):
            report(book, cause, "kitchen", f"It is {cause}.", number, line="usual")
    (one,) = StandingAlerts(settings).drifted()
    assert one.sentence == "It is noise."
    assert [sentence.partition(": ")[2] for sentence in one.before] == ["It is clipping.", "It is gain."]


def test_a_noise_is_shown_by_the_days_and_the_spectrum_of_its_board(settings: CloudSettings) -> None:
    folder, now = settings.storage.state_dir, now_us()
    make_log(folder, BOARDS, 800, now)
    stand(settings, "noise", "kitchen", now)
    (noisy,) = StandingAlerts(settings, unix_us=lambda: now).drifted()
    floor, bands, *_ = noisy.plots
    assert headings(noisy) == [
        "Noise floor, dBFS",
        "Spectrum of the noise, dB",
        "Speech over noise, dB",
        "Sure of the words, %",
        "Without a word, %",
    ]
    low, high = (float(figure.replace("\N{MINUS SIGN}", "-")) for figure in floor.meaning.split()[1::2])
    assert -64 <= low < -60 < high <= -57
    assert 'class="band"' in floor.picture
    assert 'class="moment"' in floor.picture
    assert "since then" in bands.picture
    assert [one.command for one in noisy.commands][0].startswith(
        "parrotlet-cloud log export --device kitchen --since 2"
    )
    # What stands is told, whatever became of the log.
    (folder / FILE_NAME).write_bytes(b"no database" * 1000)
    (told,) = StandingAlerts(settings, unix_us=lambda: now).drifted()
    assert (told.sentence, told.plots) == (noisy.sentence, ())


def test_what_came_of_it_is_estimated_by_labels(settings: CloudSettings) -> None:
    folder, now = settings.storage.state_dir, now_us()
    make_log(folder, BOARDS, 1500, now)
    stand(settings, "noise", "kitchen", now)
    (unknown,) = StandingAlerts(settings, unix_us=lambda: now).drifted()
    assert unknown.came_of_it == ""
    make_said(folder, now)
    (noisy,) = StandingAlerts(settings, unix_us=lambda: now).drifted()
    told = re.fullmatch(r"Wrong answers, .* labels: before (\d+) % \(.*\), since (\d+) % \(.*\)\.", noisy.came_of_it)
    assert told is not None, noisy.came_of_it
    # Of what is said in noise, a third more is wrong; see made_said.py.
    assert int(told[1]) <= 15 and 20 <= int(told[2]) <= 60


def test_each_cause_has_its_plots_and_groups_have_those_of_their_boards(settings: CloudSettings) -> None:
    groups = (Group(name="upstairs", devices=("kitchen",)),)
    settings = msgspec.structs.replace(settings, boards=Boards(groups=groups))
    now = now_us()
    make_log(settings.storage.state_dir, BOARDS, 800, now)
    for cause, where in (("intents", "hall"), ("boards", "All boards"), ("noise", "Group upstairs"), ("words", "")):
        stand(settings, cause, where, now)
    words, group, boards, intents = StandingAlerts(settings, unix_us=lambda: now).drifted()
    assert headings(intents)[0] == "Meant as, share of all"
    assert headings(boards)[0] == "Boards, share of all"
    assert "hall" in boards.plots[0].picture
    assert headings(words) == ["Understood as a command, %", "Sure of the words, %", "Without a word, %"]
    assert group.board is None
    # Kitchen alone: with the hall its floor would have risen half as much.
    alone = made_alone(settings, now)
    assert group.plots[0].picture == alone.plots[0].picture


def made_alone(settings: CloudSettings, now: int) -> Drifted:
    stand(settings, "noise", "kitchen", now)
    return StandingAlerts(settings, unix_us=lambda: now).drifted()[0]


def test_what_no_cause_explains_is_shown_by_what_moved(settings: CloudSettings) -> None:
    folder, board = settings.storage.state_dir, MadeBoard("kitchen", seed=7)
    keep(folder, board.facts(LEARNT + 20))
    keep(folder, (msgspec.structs.replace(one, gaps=number % 2) for number, one in enumerate(board.facts(70))))
    with Following(folder / FILE_NAME, folder, Ringing(folder, ())) as following:
        while following.look():
            pass
    with closing(LogReader(folder / FILE_NAME)) as reader:
        now = max(one.facts.at_unix_us or 0 for one in reader.every(Wanted()))
    (broken,) = StandingAlerts(settings, unix_us=lambda: now).drifted()
    assert "lost sound 0 → " in broken.sentence
    assert headings(broken)[0] == "With sound lost, %"


def test_each_feature_that_is_shown_is_watched_and_measured() -> None:
    (one,) = MadeBoard().facts(1)
    for name, measure in OF_FEATURES.items():
        assert name in NAMES
        measure.of(one)
        assert measure.of(Facts(device_id="kitchen", utterance_id="u")) is None or name in ("understood", "found")


def test_a_service_that_notices_by_itself_shows_why(settings: CloudSettings) -> None:
    folder, now = settings.storage.state_dir, now_us()
    make_log(folder, BOARDS[:1], 700, now)
    with Following(folder / FILE_NAME, folder, Ringing(folder, ())) as following:
        while following.look():
            pass
    drift = StandingAlerts(settings, unix_us=lambda: now)
    (noisy,) = (one for one in drift.drifted() if one.board == "kitchen")
    assert noisy.since_unix_us == pytest.approx(now - 2 * DAY_US, abs=DAY_US)
    with made_operator(settings, drift) as (address, operators):
        site = Site(address, operators, folder)
        page = site.ask("/drift", cookie=site.signed_in()).text
    assert "noise floor up" in page
    assert page.index("noise floor up") < page.index('<svg class="plot"')
    assert 'href="/search?device_id=kitchen&amp;since=20' in page
