"""Alerts: once a cause, with its end; snoozed, judged, kept; and who is told."""

import base64
import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from benchmarks import mosquitto
from benchmarks.hook_server import HookServer, answered
from benchmarks.listener_at_broker import ListenerAtBroker
from benchmarks.mosquitto import Mosquitto
from cloud.__main__ import main
from cloud.alerts import alerts as book_of
from cloud.alerts.alert_sinks import (
    DELIVER_S,
    KEEP_S_MAX,
    TRY_S_MAX,
    LogSink,
    MqttSink,
    WebhookSink,
    deliver,
    sinks_of,
)
from cloud.alerts.alerts import (
    END_US,
    FILE_NAME,
    HISTORY_MAX,
    OPINIONS_MAX,
    REST_US,
    STANDING_MAX,
    AlertBook,
    Told,
    end,
    has_ending,
    judge,
    precision,
    recover,
    report,
    snooze,
)
from cloud.alerts.erasing import GONE, erase_boards, erase_words, is_said_in
from cloud.alerts.ringing import ERASE_S, Ringing
from cloud.drift.facts import Facts
from cloud.log.answer_log import FILE_NAME as LOG_FILE
from cloud.log.answer_store import AnswerStore, FeedbackRow, Key, Row
from cloud.log.reader import LogReader
from cloud.log.record import Record as LogRecord
from cloud.settings import Alerts
from common.errors import ActionError, SettingsError
from common.record import Record
from protos import speech_pb2

NOISE = ("noise", "kitchen")
SENTENCE = "Board kitchen: noise floor up 12 dB."
HOUR_US = 3_600_000_000


class Sink:
    """Takes what it is told, or fails."""

    def __init__(self, name: str = "sink") -> None:
        self.name = name
        self.told: list[Told] = []
        self.fault: str | None = None

    def tell(self, told: Told) -> None:
        if self.fault is not None:
            raise ActionError(self.fault)
        self.told.append(told)


@pytest.fixture
def book() -> AlertBook:
    return AlertBook()


@pytest.fixture
def record(tmp_path: Path) -> Record[AlertBook]:
    return Record(tmp_path / FILE_NAME, AlertBook)


def test_a_cause_is_told_once_while_it_stands(book: AlertBook) -> None:
    assert report(book, *NOISE, SENTENCE, 1) is not None
    assert report(book, *NOISE, SENTENCE, 5) is None
    assert report(book, "noise", "hall", SENTENCE, 6) is not None
    assert [one.event for one in book.waiting] == ["began", "began"]
    assert (book.alerts[0].times, book.alerts[0].last_unix_us) == (2, 5)


def test_its_end_is_told_and_what_comes_later_is_a_new_one(book: AlertBook) -> None:
    report(book, *NOISE, SENTENCE, 1)
    over = recover(book, *NOISE, 2)
    assert over is not None
    assert (over.state, over.over_unix_us) == ("over", 2)
    assert recover(book, *NOISE, 3) is None
    again = report(book, *NOISE, SENTENCE, 2 + REST_US)
    assert again is not None
    assert again.number == 2
    assert [one.event for one in book.waiting] == ["began", "over", "began"]


def test_what_comes_and_goes_does_not_ring_all_day(book: AlertBook) -> None:
    for number in range(50):
        report(book, *NOISE, SENTENCE, 2 * number)
        recover(book, *NOISE, 2 * number + 1)
    assert len(book.alerts) == 1
    assert sum(one.event == "began" for one in book.waiting) == 1
    assert book.alerts[0].times == 50


def test_who_snoozed_hears_neither_the_beginning_nor_the_end(book: AlertBook) -> None:
    snooze(book, *NOISE, HOUR_US)
    assert report(book, *NOISE, SENTENCE, 1) is not None
    recover(book, *NOISE, 2)
    report(book, "gain", "kitchen", SENTENCE, 3)
    assert [one.cause for one in book.waiting] == ["gain"]
    report(book, *NOISE, SENTENCE, HOUR_US + REST_US)
    assert [one.cause for one in book.waiting] == ["gain", "noise"]


def test_what_is_over_while_it_is_snoozed_is_left_nowhere(book: AlertBook) -> None:
    report(book, *NOISE, SENTENCE, 1)
    snooze(book, *NOISE, HOUR_US)
    recover(book, *NOISE, 2)
    assert [(one.event, one.sentence) for one in book.waiting] == [("began", SENTENCE), ("cleared", "")]


def seen(book: AlertBook, cause: str, now_us: int, *, words: tuple[str, ...] = ()) -> None:
    """In the kitchen, one thing after the other."""
    sentence = f"It is {' '.join((cause, *words))}."
    report(book, cause, "kitchen", sentence, now_us, line="x", words=words)


def over(book: AlertBook, cause: str, now_us: int) -> None:
    recover(book, cause, "kitchen", now_us, line="x")
    end(book, now_us)


def test_a_change_that_is_better_known_later_is_the_same_alert(book: AlertBook) -> None:
    for number, cause in enumerate(("gain", "clipping", "clipping", "gain")):
        seen(book, cause, number)
    report(book, "noise", "hall", SENTENCE, 4, line="x")
    assert [(one.event, one.number, one.sentence) for one in book.waiting] == [
        ("began", 1, "It is gain."),
        ("changed", 1, "Now: It is clipping."),
        ("changed", 1, "Now: It is gain."),
        ("began", 2, SENTENCE),
    ]
    assert len({one.key for one in book.waiting}) == 4
    (alert, _) = book.alerts
    assert (alert.cause, alert.times, alert.first_cause) == ("gain", 4, "gain")
    assert [(one.cause, one.sentence, one.until_unix_us) for one in alert.before] == [
        ("gain", "It is gain.", 1),
        ("clipping", "It is clipping.", 3),
    ]
    # Over is over, by whichever name.
    over(book, "clipping", 5)
    assert [one.state for one in book.alerts] == ["over", "standing"]


def test_an_end_is_told_once_it_has_lasted_and_what_comes_back_before_is_the_same(book: AlertBook) -> None:
    now_us = 0
    for cause in ("gain", "gain", "noise", "gain"):
        seen(book, cause, now_us)
        over(book, cause, now_us + 1)
        now_us += END_US - 1
    assert [one.event for one in book.waiting] == ["began", "changed", "changed"]
    assert (len(book.alerts), book.alerts[0].state, has_ending(book, now_us)) == (1, "over", False)
    assert has_ending(book, now_us + END_US)
    end(book, now_us + END_US)
    end(book, now_us + END_US)
    seen(book, "noise", now_us + END_US)
    assert [(one.event, one.number) for one in book.waiting][3:] == [("over", 1), ("began", 2)]
    # Also where no service ran when it was to be told.
    recover(book, "noise", "kitchen", now_us + END_US, line="x")
    seen(book, "noise", now_us + 2 * END_US)
    end(book, now_us + 2 * END_US)
    assert [(one.event, one.number) for one in book.waiting][5:] == [("began", 3), ("over", 2)]


def test_what_is_thought_before_is_bounded_and_begins_with_the_first(book: AlertBook) -> None:
    for number in range(OPINIONS_MAX + 10):
        seen(book, f"cause-{number}", number)
    (alert,) = book.alerts
    assert len(alert.before) == OPINIONS_MAX
    assert (alert.first_cause, alert.before[-1].cause) == ("cause-0", f"cause-{OPINIONS_MAX + 8}")


def test_who_snoozed_an_alert_hears_of_no_other_cause_of_it(book: AlertBook) -> None:
    seen(book, "gain", 1)
    snooze(book, "gain", "kitchen", HOUR_US)
    seen(book, "clipping", 2)
    assert [one.event for one in book.waiting] == ["began"]
    seen(book, "noise", HOUR_US + 1)
    assert [one.event for one in book.waiting] == ["began", "changed"]


def test_what_began_while_it_was_snoozed_begins_with_its_next_cause(book: AlertBook) -> None:
    snooze(book, "gain", "kitchen", HOUR_US)
    seen(book, "gain", 1)
    seen(book, "clipping", HOUR_US + 1)
    assert [one.event for one in book.waiting] == ["began"]


def test_a_further_word_is_told(book: AlertBook) -> None:
    for number, words in enumerate((("mocha",), ("mocha",), ("mocha", "chai"))):
        seen(book, "words", number, words=words)
    assert [one.sentence for one in book.waiting] == ["It is words mocha.", "Now: It is words mocha chai."]


def test_a_new_word_is_over_once_the_domain_knows_it(tmp_path: Path, record: Record[AlertBook]) -> None:
    known, sink = {"mocha"}, Sink()
    ringing = Ringing(tmp_path, [sink], knows_word=lambda word: word in known)
    with record.change() as book:
        report(book, "words", "kitchen", "“mocha”, and “chai”.", time.time_ns() // 1000, words=("mocha", "chai"))
        # Of the usual, which looks for itself whether it is over.
        report(book, "words", "hall", "Many.", time.time_ns() // 1000, words=("mocha",), line="usual")
    ringing.look()
    assert [one.event for one in sink.told] == ["began", "began"]
    known.add("chai")
    ringing.look()
    ringing.look()
    assert [(one.event, one.where, one.sentence) for one in sink.told][2:] == [
        ("over", "kitchen", "The domain knows “mocha”, “chai” now.")
    ]


def test_a_word_that_is_in_the_log_no_more_is_in_no_alert(record: Record[AlertBook]) -> None:
    with record.change() as book:
        seen(book, "words", 1, words=("mocha",))
        seen(book, "words", 2, words=("mochas", "chai"))
        cause = "concept-meaning-word-mocha"
        report(book, cause, "", 'What is right for "mocha" has changed.', 3, words=["mocha"])
        recover(book, cause, "", 4)
        report(book, cause, "", 'What is right for "mocha" has changed.', 5 + REST_US, words=["mocha"])
        snooze(book, cause, "", HOUR_US)
        report(book, "noise", "hall", "A mocha machine.", 6)
    sinks = [Sink("broker"), Sink("gone")]
    sinks[1].fault = "it is not there"
    deliver(record, sinks, unix_s=lambda: 1.0)
    with record.change() as book:
        assert erase_words(book, lambda word: word == "chai", 7) == 3
        assert erase_words(book, lambda word: word == "chai", 8) == 0
    words, first, second, noise = record.read().alerts
    assert (words.sentence, words.before[0].sentence) == ("It is words … chai.", "It is words ….")
    # One word is left of it, and nothing of the others.
    assert [one.state for one in (words, first, second)] == ["standing", "over", "over"]
    assert first.cause == second.cause == record.read().snoozes[0].cause == "concept-meaning-word-…"
    assert noise.sentence == "A mocha machine."
    told = [one for one in record.read().waiting if one.number != noise.number]
    assert {one.event for one in told} == {"cleared"}
    assert not any("mocha" in one.sentence + one.command + "".join(one.words) for one in told)
    # What is left somewhere to be seen is called as it was told.
    assert {one.first_cause for one in told} == {"words", cause}
    sinks[1].fault = None
    deliver(record, sinks, unix_s=lambda: 1.0)
    assert "mocha" not in record._file.read_text().replace("A mocha machine.", "")


def test_how_an_erased_word_is_said_is_erased_too(book: AlertBook) -> None:
    sentence = "Add mocha, chai. lexicon.txt: mocha  M OW K AH; chai  CH AY (guessed)."
    report(book, "words", "kitchen", sentence, 1, words=("mocha", "chai"))
    erase_words(book, lambda word: word == "chai", 2)
    assert book.alerts[0].sentence == "Add …, chai. lexicon.txt: …; chai  CH AY (guessed)."


def test_a_word_is_looked_for_in_the_log(tmp_path: Path) -> None:
    with closing(AnswerStore(tmp_path / LOG_FILE)) as store:
        facts = Facts(device_id="kitchen", utterance_id="u-1")
        key = Key("kitchen", "u-1")
        store.add([Row(key, b"", 1, record=LogRecord(facts, "A Mocha, and 10 artichokes", b"", b"", None))], 10)
        label = speech_pb2.FeedbackRequest(device_id="kitchen", utterance_id="u-1", transcript="Um, a mocha.")
        store.give(FeedbackRow(key, "f", 1, 1, label.SerializeToString()), 10)
    with closing(LogReader(tmp_path / LOG_FILE)) as reader:
        is_said = is_said_in(reader)
        said = [word for word in ("mocha", "ten", "art", "chai", "Um, a mocha.", "10", "") if is_said(word)]
    assert said == ["mocha", "ten", "Um, a mocha.", "10", ""]


def test_of_a_board_that_is_forgotten_nothing_is_in_alerts_but_that_there_were_some(book: AlertBook) -> None:
    for where in ("kitchen", "hall", "", "All boards", "Group home"):
        report(book, "speakers", where, "Other people speak, their pitch up from 97 to 265 Hz.", 1, line="usual")
    report(book, "noise", "kitchen", "A dishwasher.", 2, line="usual")
    recover(book, "noise", "kitchen", 3, line="usual")
    judge(book, 1, "right")
    assert erase_boards(book, lambda board: board == "hall", 4) == 1
    assert erase_boards(book, lambda board: board == "hall", 5) == 0
    kitchen, *others = book.alerts
    assert (kitchen.sentence, kitchen.state, kitchen.judged) == (GONE, "over", "right")
    assert not kitchen.before and not kitchen.is_ending
    assert all(one.state == "standing" and one.sentence != GONE for one in others)
    # What a broker keeps goes, also of one that was over and nobody was told so yet.
    assert [one.event for one in book.waiting if one.where == "kitchen"] == ["cleared"]


def test_a_board_that_is_forgotten_while_the_service_runs_is_in_no_alert(
    tmp_path: Path, record: Record[AlertBook]
) -> None:
    now_s, boards = 0.0, {"kitchen"}
    ringing = Ringing(tmp_path, [Sink()], monotonic_s=lambda: now_s)
    with record.change() as book:
        report(book, "noise", "kitchen", "A dishwasher.", time.time_ns() // 1000, line="usual")
    ringing.erase(lambda text: True, boards.__contains__)
    assert record.read().alerts[0].sentence == "A dishwasher."
    boards.clear()
    ringing.erase(lambda text: True, boards.__contains__)
    now_s = ERASE_S
    ringing.look()
    assert (record.read().alerts[0].sentence, record.read().alerts[0].state) == (GONE, "over")


def test_who_erases_by_command_erases_words_of_alerts(tmp_path: Path, record: Record[AlertBook]) -> None:
    environment = {"PARROTLET_CLOUD_STORAGE_STATE_DIR": str(tmp_path)}
    with closing(AnswerStore(tmp_path / LOG_FILE)) as store:
        for number, text in enumerate(("a mocha", "a chai")):
            key = Key("kitchen", f"u-{number}")
            facts = Facts(device_id=key.device_id, utterance_id=key.utterance_id)
            store.add([Row(key, b"", 1, record=LogRecord(facts, text, b"", b"", None))], 10)
    with record.change() as book:
        seen(book, "words", 1, words=("mocha", "chai"))
    forgot = CliRunner().invoke(main, ["forget", "--utterance", "u-0"], env=environment)
    assert forgot.exit_code == 0, forgot.output
    assert record.read().alerts[0].sentence == "It is words … chai."
    assert "mocha" not in (tmp_path / FILE_NAME).read_text()
    forgot = CliRunner().invoke(main, ["forget", "--device", "kitchen"], env=environment)
    assert forgot.exit_code == 0, forgot.output
    assert record.read().alerts[0].sentence == GONE


def test_the_history_says_which_were_right(book: AlertBook) -> None:
    for number in range(4):
        report(book, f"cause-{number}", "", SENTENCE, number)
    assert judge(book, 1, "right") is not None
    judge(book, 2, "wrong")
    assert judge(book, 99, "right") is None
    assert precision(book.alerts) == (1, 2)


def test_book_and_standing_alerts_are_bounded(book: AlertBook) -> None:
    for number in range(STANDING_MAX + 50):
        report(book, f"cause-{number}", "", SENTENCE, number)
    assert len(book.alerts) == STANDING_MAX
    book.told = {one.key: ["log"] for one in book.waiting}
    for number in range(HISTORY_MAX + 50):
        report(book, "x", "", SENTENCE, number * 2 * REST_US)
        recover(book, "x", "", number * 2 * REST_US + 1)
        recover(book, f"cause-{number}", "", number)
    assert len(book.alerts) == HISTORY_MAX
    assert len(book.waiting) <= book_of.WAITING_MAX
    assert book.told == {}
    assert len({one.number for one in book.alerts}) == HISTORY_MAX


def test_each_sink_is_told_once_and_one_that_fails_until_it_has_it(record: Record[AlertBook]) -> None:
    good, bad = Sink("good"), Sink("bad")
    bad.fault = "it is not there"
    with record.change() as book:
        report(book, *NOISE, SENTENCE, 1)
    for _ in range(3):
        assert deliver(record, [good, bad], unix_s=lambda: 1.0) == ["it is not there"]
    bad.fault = None
    assert deliver(record, [good, bad], unix_s=lambda: 1.0) == []
    assert [len(sink.told) for sink in (good, bad)] == [1, 1]
    assert record.read().waiting == []
    assert record.read().told == {}


def test_nobody_is_told_a_day_late(record: Record[AlertBook]) -> None:
    sink = Sink()
    with record.change() as book:
        report(book, *NOISE, SENTENCE, 0)
    deliver(record, [sink], unix_s=lambda: KEEP_S_MAX + 1.0)
    assert sink.told == []
    assert record.read().waiting == []


def test_who_is_slow_holds_nobody_up_for_long(record: Record[AlertBook]) -> None:
    clock_s = [0.0]

    class Slow(Sink):
        def tell(self, told: Told) -> None:
            clock_s[0] += TRY_S_MAX
            super().tell(told)

    sink = Slow()
    with record.change() as book:
        for number in range(100):
            report(book, f"cause-{number}", "", SENTENCE, 1)
    assert deliver(record, [sink], unix_s=lambda: 1.0, monotonic_s=lambda: clock_s[0]) == []
    assert clock_s[0] <= DELIVER_S + TRY_S_MAX
    first = len(sink.told)
    deliver(record, [sink], unix_s=lambda: 1.0, monotonic_s=lambda: clock_s[0])
    assert [one.number for one in sink.told] == list(range(1, 2 * first + 1))


def test_what_is_killed_tells_it_when_it_is_there_again(tmp_path: Path, record: Record[AlertBook]) -> None:
    code = f"""
import os, time
from pathlib import Path
from cloud.alerts.alert_sinks import deliver
from cloud.alerts.alerts import AlertBook, report
from common.record import Record
from protos import speech_pb2
record = Record(Path({str(tmp_path / FILE_NAME)!r}), AlertBook)
with record.change() as book:
    report(book, "noise", "kitchen", "It is loud.", time.time_ns() // 1000)
class Killing:
    name = "killing"
    def tell(self, told):
        os.kill(os.getpid(), 9)
deliver(record, [Killing()])
"""
    killed = subprocess.run([sys.executable, "-c", code], check=False)
    assert killed.returncode == -signal.SIGKILL
    sink = Sink("killing")
    deliver(record, [sink])
    assert [one.sentence for one in sink.told] == ["It is loud."]
    deliver(record, [sink])
    assert len(sink.told) == 1


def test_the_log_is_told(caplog: pytest.LogCaptureFixture) -> None:
    LogSink().tell(Told("began", 7, *NOISE, SENTENCE, "", 1))
    assert caplog.records[0].levelname == "WARNING"
    assert SENTENCE in caplog.text


def test_the_log_has_no_word_that_people_said(caplog: pytest.LogCaptureFixture) -> None:
    LogSink().tell(Told("began", 7, "words", "", "“Mocha” 5 times; the domain lacks “mocha”.", "", 1, words=("mocha",)))
    assert "“…” 5 times; the domain lacks “…”." in caplog.text


@pytest.fixture
def hook() -> Iterator[HookServer]:
    with HookServer() as hook:
        yield hook


def test_a_webhook_gets_it_signed_by_a_key_that_stays(hook: HookServer, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a secret of more than sixteen bytes")
    sink = WebhookSink(Alerts(webhook_url=f"{hook.url}/alerts", webhook_secret_file=secret))
    told = Told("began", 7, *NOISE, SENTENCE, "parrotlet-cloud label", 1)
    sink.tell(told)
    sink.tell(told)
    first, second = hook.posted
    assert msgspec.json.decode(first.body, type=Told) == told
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] == "alert-7-began-1"
    signed = f"alert-7-began-1.{first.headers['webhook-timestamp']}.".encode() + first.body
    mac = base64.b64encode(hmac.new(secret.read_bytes(), signed, hashlib.sha256).digest()).decode()
    assert first.headers["webhook-signature"] == f"v1,{mac}"
    # What begins, or ends, a second time is not taken for the first.
    sink.tell(msgspec.structs.replace(told, at_unix_us=2))
    assert hook.posted[-1].headers["idempotency-key"] == "alert-7-began-2"


def test_what_is_cleared_is_told_to_nobody(hook: HookServer, caplog: pytest.LogCaptureFixture) -> None:
    told = Told("cleared", 7, *NOISE, "", "", 1)
    LogSink().tell(told)
    WebhookSink(Alerts(webhook_url=hook.url)).tell(told)
    assert (hook.posted, caplog.records) == ([], [])


def test_a_webhook_that_fails_says_why(hook: HookServer) -> None:
    hook.usual = answered(500)
    with pytest.raises(ActionError, match=r"^alerts\.webhook_url: it answered with status 500\.$"):
        WebhookSink(Alerts(webhook_url=hook.url)).tell(Told("began", 7, *NOISE, SENTENCE, "", 1))
    with pytest.raises(ActionError, match=r"^alerts\.webhook_url: "):
        WebhookSink(Alerts(webhook_url="http://127.0.0.1:1/")).tell(Told("began", 7, *NOISE, SENTENCE, "", 1))


@pytest.mark.skipif(mosquitto.PROGRAM is None, reason=str(mosquitto.why_not()))
def test_a_broker_keeps_what_stands_until_it_is_over(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as house:
        sink = MqttSink(Alerts(mqtt_address=house.address, mqtt_tls=False))
        sink.tell(Told("began", 6, "gain", "hall", SENTENCE, "", 1))
        # Who listens to what it was at first hears what it is now.
        sink.tell(Told("changed", 6, "noise", "hall", SENTENCE, "", 1, "gain", 1))
        with ListenerAtBroker(house.port) as listener:
            now = listener.wait(lambda heard: heard.topic == "parrotlet/alerts/hall/gain")
            assert (now.retained, json.loads(now.payload)["cause"]) == (True, "noise")
        sink.tell(Told("over", 6, "noise", "hall", "It is over.", "", 2, "gain", 1))
        sink.tell(Told("began", 7, "concept/word corona", "", SENTENCE, "", 1))
        with ListenerAtBroker(house.port) as listener:
            kept = listener.wait(lambda heard: heard.topic == "parrotlet/alerts/all/concept-word-corona")
            assert kept.retained
            assert json.loads(kept.payload)["number"] == 7
            sink.tell(Told("over", 7, "concept/word corona", "", "It is over.", "", 2))
            over = listener.wait(lambda heard: bool(heard.payload) and json.loads(heard.payload)["event"] == "over")
            assert not over.retained
            sink.tell(Told("began", 8, "noise", "", SENTENCE, "", 3))
            sink.tell(Told("cleared", 8, "noise", "", "", "", 4))
        with ListenerAtBroker(house.port) as late:
            late.publish("last", b"")
            late.wait(lambda heard: heard.topic == "last")
            assert [heard.topic for heard in late.heard] == ["last"]


def test_who_is_set_is_told() -> None:
    assert [sink.name for sink in sinks_of(Alerts())] == ["log"]
    everybody = Alerts(webhook_url="https://house.example/x", mqtt_address="house:1883")
    assert [sink.name for sink in sinks_of(everybody)] == ["log", "webhook", "mqtt"]


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (Alerts(webhook_url="http://house:99999/x"), "is no address such as"),
        (Alerts(mqtt_address="house"), r"^alerts\.mqtt_address is 'house', but must be HOST:PORT"),
    ],
)
def test_where_nobody_can_be_told_is_said_at_the_start(settings: Alerts, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        sinks_of(settings)


def test_a_brokers_fault_names_the_settings_as_they_are_called() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        sink = MqttSink(Alerts(mqtt_address=f"127.0.0.1:{server.getsockname()[1]}"))

        def speak_plainly() -> None:
            asked, _ = server.accept()
            with asked:
                asked.recv(1)
                asked.sendall(b"this is no TLS, and nothing else")

        with ThreadPoolExecutor(1) as threads:
            threads.submit(speak_plainly)
            with pytest.raises(ActionError, match=r"see alerts\.mqtt_ca_file, or alerts\.mqtt_tls for"):
                sink.tell(Told("test", 0, "test", "", "", "", 1))


def typed(folder: Path, *arguments: str, **environment: str) -> Result:
    environment |= {"PARROTLET_CLOUD_STORAGE_STATE_DIR": str(folder)}
    return CliRunner().invoke(main, ["alerts", *arguments], env=environment)


def test_the_commands_list_snooze_and_judge(tmp_path: Path, record: Record[AlertBook]) -> None:
    assert "Nothing has changed." in typed(tmp_path).output
    with record.change() as book:
        report(book, *NOISE, SENTENCE, time.time_ns() // 1000, command="parrotlet-cloud label")
        report(book, "gain", "hall", "Board hall: quieter.", time.time_ns() // 1000)
        recover(book, "gain", "hall", time.time_ns() // 1000)
    listed = typed(tmp_path).output
    assert SENTENCE in listed
    assert "parrotlet-cloud label" in listed
    assert "hall" not in listed
    with record.change() as book:
        report(book, "noise", "cellar", SENTENCE, time.time_ns() // 1000, line="x")
        report(book, "echo", "cellar", "Board cellar: it echoes.", time.time_ns() // 1000, line="x")
    assert "thought until" not in typed(tmp_path).output
    assert f": {SENTENCE}" in next(
        line for line in typed(tmp_path, "--all").output.splitlines() if "thought until" in line
    )
    assert typed(tmp_path, "right", "1").exit_code == 0
    assert typed(tmp_path, "wrong", "2").exit_code == 0
    assert "1 of the 2 that somebody looked at were right." in typed(tmp_path, "--all").output
    assert typed(tmp_path, "snooze", "1", "--hours", "2").exit_code == 0
    assert book_of.is_snoozed(record.read(), *NOISE, time.time_ns() // 1000 + HOUR_US)
    assert ", right, snoozed until 2" in typed(tmp_path).output.splitlines()[0]
    # Of a cause by itself nobody compares with what is usual.
    assert "Alert 1 is of a word, or of what is right" in typed(tmp_path, "accept", "1").output
    with record.change() as book:
        report(book, "noise", "attic", SENTENCE, time.time_ns() // 1000, line="usual")
    assert (
        typed(tmp_path, "accept", "4").output
        == "What is usual of attic is learnt anew; nothing is told of it until then.\n"
    )
    accepted = record.read().alerts[3]
    assert (accepted.state, record.read().accepted, record.read().waiting[-1].event) == ("over", ["attic"], "over")
    assert record.read().waiting[-1].sentence == f"It is to stay so: {SENTENCE}"
    assert "Alert 4 is over." in typed(tmp_path, "accept", "4").output
    for arguments in (("right", "9"), ("snooze", "9"), ("accept", "9")):
        assert "no alert 9" in typed(tmp_path, *arguments).output
    assert "no service's folder" in typed(tmp_path / "none").output


def test_everybody_may_be_told_that_it_is_a_test(tmp_path: Path, hook: HookServer) -> None:
    told = typed(tmp_path, "test", PARROTLET_CLOUD_ALERTS_WEBHOOK_URL=hook.url)
    assert (told.exit_code, "webhook: told." in told.output) == (0, True)
    assert json.loads(hook.posted[0].body)["event"] == "test"
    hook.usual = answered(404)
    refused = typed(tmp_path, "test", PARROTLET_CLOUD_ALERTS_WEBHOOK_URL=hook.url)
    assert refused.exit_code == 2
    assert "status 404" in refused.output


def test_the_password_is_never_shown(tmp_path: Path) -> None:
    environment = os.environ | {"PARROTLET_CLOUD_ALERTS_MQTT_PASSWORD": "canary-password"}
    shown = CliRunner().invoke(main, ["config"], env=environment).output
    assert "mqtt_password" in shown
    assert "canary-password" not in shown
