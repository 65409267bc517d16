"""What a person sees."""

import io

import msgspec
import pytest

from edge.asking.answer import Answer, Choice, Partial, Result
from edge.asking.timing import TimingMs
from edge.board.display import UNTIMED
from edge.board.metrics import metrics_text
from edge.board.status import activation_line, microphone_line, span, status_lines
from edge.board.tally import Tally
from edge.console import Console
from edge.sound.devices import device_table
from edge.sound.sound_device import DeviceInfo
from tests.edge_fakes import ANSWER

TIMING = TimingMs(900, 200, 300, 1, 20, 3)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("COLUMNS", "40")
    return Terminal()


def test_an_answer_shows_words_results_and_times() -> None:
    out = io.StringIO()
    Console(out).print_answer("a.wav  0.00-1.00 s", ANSWER, TIMING)
    assert out.getvalue() == (
        "a.wav  0.00-1.00 s\n"
        "  set a timer for ten minutes\n"
        "  or: set a time for ten minutes\n"
        "   1  Timer, 10 minutes  Starts a timer.  → timer.start\n"
        "  whisper tiny.en, 88% sure, 200 ms after the end (waiting 1, decoding 20, searching 3)\n"
        "\n"
    )


def test_an_answer_by_another_path_says_why() -> None:
    out = io.StringIO()
    answer = msgspec.structs.replace(ANSWER, path="house", why_not_better="a:1: no answer within 2 s.")
    Console(out, {}).print_answer("x", answer, TIMING)
    assert "by the house: a:1: no answer within 2 s." in out.getvalue()


def test_no_words_and_no_answer_are_told_apart() -> None:
    out = io.StringIO()
    console = Console(out)
    console.print_answer("a", Answer("cloud"), TIMING)
    console.print_answer("b", Answer("none", why_not_better="away"), TIMING)
    assert "(no words)" in out.getvalue()
    assert "b\n  not answered\n" in out.getvalue()


def test_titles_are_aligned_and_long_ones_cut(terminal: Terminal) -> None:
    results = tuple(Result(title, title, "word " * 20, 1.0, None, None) for title in ("Tea", "Coffee with milk"))
    Console(terminal, {"NO_COLOR": "1"}).print_answer("a", Answer("cloud", "x", results=results), TIMING)
    rows = [line for line in terminal.getvalue().splitlines() if "word" in line]
    assert len({row.index("word") for row in rows}) == 1
    assert all(len(row) <= 40 for row in rows)


def test_what_was_meant_is_shown_or_asked(terminal: Terminal) -> None:
    console = Console(terminal, {"NO_COLOR": "1"})
    why = ("So.",)
    meant = Answer("cloud", "x", intent="timer", intent_confidence=0.957, slots={"for": "an hour"}, explanation=why)
    console.print_answer("a", meant, TIMING)
    assert "\n  timer (96% sure)  for: an hour\n  So.\n" in terminal.getvalue()
    console.print_answer("a", Answer("cloud", "x", choices=(Choice("tea", "t"), Choice("two\x1b", "t"))), TIMING)
    assert '\n  Did you mean "tea", or "two' in terminal.getvalue()
    assert "\x1b" not in terminal.getvalue().replace("\r\x1b[K", "")


def test_who_answered_instead_is_named(terminal: Terminal) -> None:
    answer = msgspec.structs.replace(ANSWER, path="local", why_not_better="The service is away.")
    Console(terminal).print_answer("", answer, UNTIMED)
    assert "by the board itself: The service is away." in terminal.getvalue()


def test_colour_is_for_terminals_that_want_it(terminal: Terminal) -> None:
    assert Console(terminal, {}).bold("x") == "\x1b[1mx\x1b[0m"
    assert Console(terminal, {"NO_COLOR": "1"}).bold("x") == "x"
    assert Console(terminal, {"TERM": "dumb"}).bold("x") == "x"
    assert Console(io.StringIO(), {}).bold("x") == "x"


def test_a_live_line_is_drawn_on_terminals_only_and_gives_way(terminal: Terminal) -> None:
    piped = io.StringIO()
    Console(piped, {}).draw_partial(Partial("set a", "timer"))
    assert piped.getvalue() == ""
    console = Console(terminal, {"NO_COLOR": "1"})
    console.draw_partial(Partial("set a", "timer"))
    console.print("done")
    assert terminal.getvalue() == "\r\x1b[K  set a timer\r\x1b[Kdone\n"


def test_of_a_long_partial_the_end_is_shown(terminal: Terminal) -> None:
    console = Console(terminal, {"NO_COLOR": "1"})
    for stable, unstable in (("a" * 100, "the end"), ("a" * 5, "b" * 100 + "the end")):
        console.draw_partial(Partial(stable, unstable))
        shown = terminal.getvalue().rpartition("\x1b[K")[2]
        assert len(shown) < 40
        assert shown.startswith("  …")
        assert shown.endswith("the end")


def test_words_of_a_service_cannot_steer_the_terminal() -> None:
    out = io.StringIO()
    evil = "\x1b]0;gotcha\x07"
    results = (Result("1", evil, evil, 1.0, evil, None),)
    Console(out).print_answer(f"{evil}.wav", Answer("cloud", evil, results=results, engine=evil), TIMING)
    assert "\x1b" not in out.getvalue()
    assert "\x07" not in out.getvalue()


def test_devices_are_a_table_that_marks_the_default() -> None:
    table = device_table(
        [DeviceInfo(0, "HDA", 2, 44100, False, (44100, 48000)), DeviceInfo(11, "USB microphone", 1, 16000, True, ())]
    )
    assert table == [
        "  NO  NAME            CHANNELS  RATES (Hz)",
        "   0  HDA                    2  44100 48000",
        "* 11  USB microphone         1  none usable",
    ]


def test_the_status_fits_a_screen_and_names_what_is_wrong() -> None:
    said = {
        "healthy": False,
        "ailment": "The microphone has delivered nothing for 7 s.",
        "version": "0.1.0",
        "pid": 7,
        "device_id": "kitchen",
        "uptime_s": 7300.0,
        "microphone": {"name": "USB", "state": "absent", "silent_s": 7.0, "overruns": 2},
        "activation": {"mode": "button", "listening": False},
        "vad": {"aggressiveness": 2},
        "temperature_c": 48.2,
        "services": [
            {"path": "cloud", "address": "a:1", "down": "a:1: the service cannot be reached.", "answered_ago_s": 61.0},
            {"path": "house", "address": "b:1", "known_as": "attic", "down": None, "answered_ago_s": 3.0},
        ],
        "spool": {"waiting": 2, "quarantined": 1, "bytes": 12_300, "trouble": None, "dropped": 4},
        "utterances": {"heard": 2, "answered": 1, "awaited": 0},
        "last_answer": {
            "path": "none",
            "transcript": "",
            "results": [],
            "endpoint_to_final_ms": None,
            "why_not_better": "The service is away.",
            "ago_s": 61.0,
        },
    }
    steered = {"path": "cloud", "transcript": "\x1b[2J", "results": ["\x07"], "why_not_better": None}
    steered |= {"endpoint_to_final_ms": None, "ago_s": 1.0}
    assert all(line.isprintable() for line in status_lines(said | {"last_answer": steered}))
    text = "\n".join(status_lines(said))
    assert "NOT HEALTHY: The microphone has delivered nothing for 7 s., running for 2 h" in text
    assert "USB, missing and looked for, 2 overruns" in text
    assert "button, waiting for a press" in text
    assert "not answered, 61 s ago: The service is away." in text
    assert "NOT THERE: a:1: the service cannot be reached." in text
    assert "b:1 as attic, answered 3 s ago" in text
    assert "2 wait to be sent, 12 kB, 1 set aside, 4 dropped" in text
    assert "48 °C" in text
    assert len(text.splitlines()) <= 24


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({"mode": "always", "listening": True, "phrase": None}, "always"),
        ({"mode": "wake", "listening": False, "phrase": "okay nabu"}, 'wake, waiting for "okay nabu"'),
        ({"mode": "wake", "listening": True, "phrase": "okay nabu"}, "wake, listening now"),
    ],
)
def test_what_the_board_waits_for_is_said(said: dict[str, object], shown: str) -> None:
    assert activation_line(said) == shown


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"state": "open"}, "USB"),
        ({"state": "open", "all_zeros": True}, "USB, ALL ZEROS: a switch on the microphone, or a broken one"),
        ({"state": "muted", "muted_by": "command", "mute_is_kept": True}, "USB, MUTED"),
        ({"state": "muted", "muted_by": "switch"}, "USB, MUTED by its switch"),
        ({"state": "muted", "muted_by": "command", "mute_is_kept": False}, "USB, MUTED, which a restart will not know"),
    ],
)
def test_why_the_microphone_is_silent_is_said(more: dict[str, object], line: str) -> None:
    assert microphone_line({"name": "USB", "overruns": 0, **more}) == line


def test_figures_are_told_in_prometheus_s_format() -> None:
    said = {
        "healthy": True,
        "uptime_s": 60.0,
        "utterances": {"heard": 3, "answered": 2, "awaited": 0},
        "tally": Tally().said(),
        "microphone": {"silent_s": 0.02, "overruns": 1},
        "temperature_c": None,
        "services": [{"path": "cloud", "down": "a:1: away"}, {"path": "house", "down": None}],
        "spool": {"waiting": 1, "quarantined": 0, "bytes": 900, "oldest_at_unix_us": 40_000_000, "dropped": 2},
    }
    text = metrics_text(said, unix_s=100.0)
    for line in (
        "parrotlet_edge_healthy 1.0",
        "parrotlet_edge_utterances_answered_total 2.0",
        'parrotlet_edge_service_up{path="cloud"} 0.0',
        'parrotlet_edge_service_up{path="house"} 1.0',
        "parrotlet_edge_spool_dropped_total 2.0",
        "parrotlet_edge_spool_waiting 1.0",
        "parrotlet_edge_spool_oldest_seconds 60.0",
    ):
        assert line in text.splitlines()
    troubled = metrics_text(said | {"spool": {"trouble": "full", "dropped": 2}}, unix_s=100.0)
    assert "parrotlet_edge_spool_in_trouble 1.0" in troubled.splitlines()


def test_spans_are_said_as_people_say_them() -> None:
    assert [span(s) for s in (3.4, 119, 120, 7199, 7200, 400_000)] == [
        "3 s",
        "119 s",
        "2 min",
        "120 min",
        "2 h",
        "5 days",
    ]
