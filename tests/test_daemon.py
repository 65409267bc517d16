"""The daemon: started in order, stopped in reverse, and missed parts noticed."""

import io
import queue
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.errors import CloudError, DaemonError, InputError, ParrotletError
from common.settings import Loaded, load
from common.supervision import Supervision
from edge.asking.exchange import Exchange
from edge.board.board import SILENT_S_MAX, Board
from edge.board.control import ask
from edge.board.daemon import serve
from edge.board.display import Display
from edge.console import Console
from edge.settings import EdgeSettings
from edge.sound.audio_file import AudioFile
from edge.sound.capture import State
from edge.sound.player import Player
from edge.sound.source import Block, Interruption, Source
from edge.speech.activation import Always, Button
from edge.speech.utterance import UtteranceEnd, UtteranceHead
from tests.conftest import Speech
from tests.edge_fakes import ANSWER, FakeRecogniser, FakeSource, silence, utterance


class Notes:
    """What systemd would be told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def notify(self, state: str) -> None:
        self.told.append(state)


class Endless:
    """Some blocks, and then nothing until it is closed."""

    name = "endless"

    def __init__(self, blocks: list[Block]) -> None:
        self._blocks = blocks
        self._closed = threading.Event()
        self.all_read = threading.Event()

    def blocks(self) -> Iterator[Block]:
        for block in self._blocks:
            if self._closed.is_set():
                return
            yield block
        self.all_read.set()
        self._closed.wait(20)

    def close(self) -> None:
        self._closed.set()


class Running:
    """A daemon in a thread, with its parts in reach."""

    def __init__(
        self,
        directory: Path,
        source: Source,
        recogniser: FakeRecogniser | None = None,
        stop_s_max: float = 5.0,
        file: Path | None = None,
        **more: str,
    ) -> None:
        options = {
            "device.runtime_dir": str(directory),
            "device.state_dir": str(directory),
            **{key.replace("__", "."): value for key, value in more.items()},
        }
        self.loaded: Loaded[EdgeSettings] = load(
            EdgeSettings, file=file, environment={}, environment_prefix="X", options=options
        )
        self.recogniser = recogniser or FakeRecogniser()
        self.notes = Notes()
        self.signals: queue.Queue[int] = queue.Queue()
        self.error: ParrotletError | None = None
        self._source = source
        self._stop_s_max = stop_s_max
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def join(self, patience_s: float = 10.0) -> None:
        self._thread.join(patience_s)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        console = Console(io.StringIO())
        supervision = Supervision(self.notes, environment={})
        try:
            serve(
                self.loaded, Player(self._source), self.recogniser, self._wait, supervision, console, self._stop_s_max
            )
        except ParrotletError as error:
            self.error = error

    def _wait(self, timeout_s: float) -> int | None:
        try:
            return self.signals.get(timeout=min(timeout_s, 0.02))
        except queue.Empty:
            return None


def spoken(speech: Speech) -> list[Block]:
    return list(AudioFile(str(speech.path("timer"))).blocks())


def test_what_is_spoken_is_asked_and_the_daemon_ends_with_its_input(tmp_path: Path, speech: Speech) -> None:
    daemon = Running(tmp_path, AudioFile(str(speech.path("timer"))))
    daemon.join()
    assert daemon.error is None
    assert len(daemon.recogniser.streams) == 1
    assert daemon.recogniser.streams[0].wire_bytes > 80 * 100
    assert (daemon.notes.told[0], daemon.notes.told[-1]) == ("READY=1", "STOPPING=1")
    assert not (tmp_path / "edge.sock").exists()


def test_an_utterance_under_way_is_ended_and_answered_before_the_daemon_stops(tmp_path: Path, speech: Speech) -> None:
    half_a_sentence = Endless(spoken(speech)[:50])
    daemon = Running(tmp_path, half_a_sentence, FakeRecogniser(at_once=False))
    assert half_a_sentence.all_read.wait(10)
    daemon.signals.put(signal.SIGTERM)
    daemon._thread.join(0.2)
    assert daemon._thread.is_alive(), "an answer is owed"
    daemon.recogniser.streams[0].settle()
    daemon.join(2)
    assert daemon.error is None


def test_an_answer_that_does_not_come_is_not_waited_for_for_ever(tmp_path: Path, speech: Speech) -> None:
    half_a_sentence = Endless(spoken(speech)[:50])
    daemon = Running(tmp_path, half_a_sentence, FakeRecogniser(at_once=False), stop_s_max=0.3)
    assert half_a_sentence.all_read.wait(10)
    stopped_s = time.monotonic()
    daemon.signals.put(signal.SIGINT)
    daemon.join(3)
    assert time.monotonic() - stopped_s >= 0.3
    assert daemon.error is None


class Dying(FakeSource):
    def blocks(self) -> Iterator[Block]:
        yield from silence(10)
        raise RuntimeError("a fault of ours")


def test_the_death_of_the_hearing_thread_ends_the_daemon_with_a_sentence(tmp_path: Path) -> None:
    daemon = Running(tmp_path, Dying("dying"))
    daemon.join()
    assert isinstance(daemon.error, DaemonError)
    assert str(daemon.error).startswith("The hearing thread died of RuntimeError (a fault of ours)")
    assert not (tmp_path / "edge.sock").exists()


def test_the_death_of_the_network_thread_ends_the_daemon_with_a_sentence(tmp_path: Path) -> None:
    daemon = Running(tmp_path, Endless([]))
    daemon.recogniser.alive = False
    daemon.join()
    assert isinstance(daemon.error, DaemonError)


@pytest.mark.parametrize(
    ("part", "name"), [("edge.answering.mouth.Mouth", "mouth"), ("edge.actions.timekeeper.Timekeeper", "timers")]
)
def test_the_death_of_what_answers_ends_the_daemon_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str, name: str
) -> None:
    def die(self: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(f"{part}._work", die)
    daemon = Running(tmp_path, Endless([]))
    daemon.join()
    assert isinstance(daemon.error, DaemonError)
    assert str(daemon.error).startswith(f"The {name} thread died of RuntimeError (a fault of ours)")


def test_an_input_that_cannot_be_read_is_told_as_such(tmp_path: Path) -> None:
    daemon = Running(tmp_path, FakeSource("x.wav", fault=InputError("x.wav: is empty (0 bytes).")))
    daemon.join()
    assert isinstance(daemon.error, InputError)


def test_with_a_button_nothing_is_sent_until_it_is_pressed(tmp_path: Path, speech: Speech) -> None:
    daemon = Running(tmp_path, AudioFile(str(speech.path("timer"))), activation__mode="button")
    daemon.join()
    assert daemon.error is None
    assert daemon.recogniser.streams == []


@pytest.mark.parametrize("by", ["signal", "socket"])
def test_a_press_opens_the_ears(tmp_path: Path, by: str) -> None:
    daemon = Running(tmp_path, Endless(silence(5)), activation__mode="button")
    until_s = time.monotonic() + 5
    while "READY=1" not in daemon.notes.told and time.monotonic() < until_s:
        daemon._thread.join(0.01)
    assert not ask(daemon.loaded, "status")["activation"]["listening"]
    if by == "signal":
        daemon.signals.put(signal.SIGUSR1)
    else:
        ask(daemon.loaded, "press")
    while not ask(daemon.loaded, "status")["activation"]["listening"] and time.monotonic() < until_s:
        daemon._thread.join(0.01)
    assert ask(daemon.loaded, "status")["activation"]["listening"]
    daemon.signals.put(signal.SIGTERM)
    daemon.join()


def test_a_signal_mutes_and_a_restart_finds_it_muted(tmp_path: Path) -> None:
    daemon = Running(tmp_path, Endless(silence(5)))
    daemon.signals.put(signal.SIGUSR2)
    daemon.signals.put(signal.SIGTERM)
    daemon.join()
    again = Running(tmp_path, AudioFile(str(Path(__file__).parent / "speech" / "timer.flac")))
    again.join()
    assert again.recogniser.streams == []
    third = Running(tmp_path, Endless(silence(5)))
    third.signals.put(signal.SIGUSR2)
    third.signals.put(signal.SIGTERM)
    third.join()
    assert not (tmp_path / "muted").exists()


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Ears:
    """An ear in any state."""

    name = "USB microphone"
    overruns = 2
    all_zeros = False

    def __init__(self, state: State = State.OPEN) -> None:
        self.state = state
        self.silent_s = 0.02
        self.unread = 0.1

    def blocks(self) -> Iterator[Block | Interruption]:
        return iter(())

    def close(self) -> None:
        pass

    def fresh_s(self) -> float:
        return self.silent_s

    def unread_s(self) -> float:
        return self.unread

    def mute(self) -> None:
        self.state = State.MUTED

    def unmute(self) -> None:
        self.state = State.OPEN


@pytest.mark.parametrize(
    ("state", "silent_s", "well"),
    [
        (State.OPEN, SILENT_S_MAX - 0.1, True),
        (State.OPEN, SILENT_S_MAX, False),
        (State.OPENING, SILENT_S_MAX, False),
        (State.MUTED, 3600.0, True),
        (State.ABSENT, 3600.0, True),
    ],
)
def test_a_board_is_well_unless_an_open_microphone_delivers_nothing(state: State, silent_s: float, well: bool) -> None:
    ears = Ears(state)
    ears.silent_s = silent_s
    board = Board(ears, Always(), EdgeSettings(), "s")
    assert (board.ailment() is None) is well
    assert board.status()["healthy"] is well


def test_a_hearing_thread_that_is_stuck_is_an_ailment_but_not_while_muted() -> None:
    ears = Ears()
    ears.unread = SILENT_S_MAX
    board = Board(ears, Always(), EdgeSettings(), "s")
    assert board.ailment() == "Nobody has listened to the microphone for 5 s: the hearing thread is stuck."
    ears.state = State.MUTED
    assert board.ailment() is None


def heard(board: Board, recogniser: FakeRecogniser) -> None:
    head, _, end = utterance(0)
    assert isinstance(head, UtteranceHead)
    assert isinstance(end, UtteranceEnd)
    exchange = Exchange(recogniser, head, on_over=board.over, clock=lambda: 2.0)
    board.heard(exchange)
    exchange.finish(end)


def test_the_board_counts_what_is_heard_and_keeps_the_last_answer() -> None:
    clock = Clock()
    board = Board(Ears(), Always(), EdgeSettings(), "s", clock)
    assert board.status()["last_answer"] is None
    heard(board, FakeRecogniser())
    clock.now_s += 60
    assert board.status()["utterances"] == {"heard": 1, "answered": 1, "awaited": 0}
    assert board.status()["last_answer"] == {
        "utterance_id": "u0",
        "path": "cloud",
        "transcript": ANSWER.transcript,
        "results": ("Timer, 10 minutes",),
        "endpoint_to_final_ms": 1000,
        "intent": None,
        "level_dbfs": -20.0,
        "snr_db": None,
        "why_not_better": None,
        "ago_s": 60.0,
    }
    heard(board, FakeRecogniser(CloudError("The service is away.")))
    heard(board, FakeRecogniser(at_once=False))
    assert board.status()["utterances"] == {"heard": 3, "answered": 1, "awaited": 1}
    assert board.status()["last_answer"]["why_not_better"] == "The service is away."


def test_what_is_forgotten_is_shown_no_more() -> None:
    board = Board(Ears(), Always(), EdgeSettings(), "s")
    heard(board, FakeRecogniser())
    assert board.commands["forget"]() == {}
    assert board.status()["last_answer"] is None
    assert not board.unseen
    assert board.status()["utterances"]["answered"] == 1


def test_where_nobody_looks_nothing_is_kept_to_be_shown() -> None:
    board = Board(Ears(), Always(), EdgeSettings(), "s")
    heard(board, FakeRecogniser())
    Display(Console(io.StringIO()), board).update()
    assert not board.unseen


def test_that_it_listens_now_is_shown_until_it_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TERM", raising=False)
    out = io.StringIO()
    out.isatty = lambda: True  # type: ignore[method-assign]
    button = Button(8.0)
    display = Display(Console(out), Board(Ears(), button, EdgeSettings(), "s"))
    display.update()
    assert out.getvalue() == ""
    button.press()
    display.update()
    assert "listening" in out.getvalue()
    drawn = len(out.getvalue())
    button.heard_end()
    display.update()
    assert out.getvalue()[drawn:] == "\r\x1b[K"
    display.update()
    assert len(out.getvalue()) == drawn + len("\r\x1b[K")


def test_a_board_that_listens_always_does_not_say_so() -> None:
    out = io.StringIO()
    out.isatty = lambda: True  # type: ignore[method-assign]
    Display(Console(out), Board(Ears(), Always(), EdgeSettings(), "s")).update()
    assert out.getvalue() == ""


def test_what_was_said_is_logged_at_debug_only(caplog: pytest.LogCaptureFixture) -> None:
    board = Board(Ears(), Always(), EdgeSettings(), "s")
    caplog.set_level("DEBUG")
    heard(board, FakeRecogniser())
    by_level = {record.levelname: record.getMessage() for record in caplog.records}
    assert by_level["INFO"] == "answered by cloud in 1000 ms, 1 results"
    assert ANSWER.transcript in by_level["DEBUG"]


def test_a_press_while_muted_is_refused_with_a_sentence() -> None:
    button = Button(8.0)
    board = Board(Ears(), button, EdgeSettings(), "s")
    board.commands["mute"]()
    with pytest.raises(ParrotletError, match="The board is muted; unmute it first"):
        board.press()
    assert not button.listening()
    board.commands["unmute"]()
    board.press()
    assert button.listening()


def test_a_file_in_place_of_the_microphone_is_muted_with_one_interruption() -> None:
    player = Player(FakeSource("x", silence(6)))
    sound = player.blocks()
    told = [(type(next(sound)), player.state)]
    player.mute()
    told.append((type(next(sound)), player.state))
    player.unmute()
    told.append((type(next(sound)), player.state))
    assert told == [(Block, State.OPEN), (Interruption, State.MUTED), (Block, State.OPEN)]
