"""What `parrotlet-edge run` does: hears and asks until it is told to stop.

The main thread waits for signals, shows answers on a terminal and looks whether the others live: one hears, one serves
the control socket, one is the network's. Nothing that hears ever waits for an answer.
"""

import logging
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import sdnotify

from common.addresses import parse_address
from common.errors import DaemonError, InputError, ParrotletError
from common.settings import Loaded
from common.supervision import Supervision
from edge import directories
from edge.actions.acting import Acting, Told
from edge.actions.household import Household
from edge.answering.answering import Answering
from edge.asking import wire
from edge.asking.exchange import Exchange, exchange_all
from edge.asking.recogniser import Answerer, Recogniser
from edge.asking.services import whole_chain_of
from edge.board.board import Board, Ear
from edge.board.button import watch_button, watch_switch
from edge.board.control import ControlServer
from edge.board.display import Display
from edge.board.log_lines import start_logging
from edge.board.mute import Mute
from edge.board.spare_memory import give_back, share
from edge.clock import boot_id
from edge.console import Console
from edge.local.activations import open_activation
from edge.local.gate import open_gate
from edge.session import Session
from edge.settings import EdgeSettings
from edge.sound.capture import Microphone
from edge.sound.player import Player
from edge.speech.half_duplex import HalfDuplex, OwnSound
from edge.speech.hearing import hear
from edge.speech.turn import Turn
from edge.speech.utterance import EndReason, Heard, UtteranceHead
from edge.spool import kept_frames
from edge.spool.event import Event
from edge.spool.keeping import Keeping
from edge.spool.spool import FILE_NAME, Spool
from edge.worker import Worker

logger = logging.getLogger(__name__)

STOP_S_MAX = 5.0
"""How long answers are still waited for after the daemon was told to stop."""

LOOK_S = 0.5
"""How often the main thread looks: so late, at most, is a death noticed."""

SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2})

Wait = Callable[[float], int | None]
"""Waits so many seconds for one of SIGNALS."""


def run(loaded: Loaded[EdgeSettings], input_file: str | None = None) -> None:
    """Hears and answers until SIGTERM or SIGINT, or until the file given in place of the microphone is over.

    SettingsError or InputError if it cannot start; DaemonError, a sentence, if a part of it died.
    """
    share()
    console = Console(sys.stdout)
    start_logging(loaded.settings.log.level, console)
    ear = Microphone(loaded.settings.microphone) if input_file is None else _player(input_file)
    with _waiting_for_signals() as wait:
        serve(loaded, ear, whole_chain_of(loaded), wait, Supervision(sdnotify.SystemdNotifier()), console)


def serve(
    loaded: Loaded[EdgeSettings],
    ear: Ear,
    recogniser: Recogniser,
    wait: Wait,
    supervision: Supervision,
    console: Console,
    stop_s_max: float = STOP_S_MAX,
) -> None:
    """As `run`, with its parts. They start in this order, and are stopped in reverse when `started` is left."""
    settings = loaded.settings
    own = OwnSound()
    activation = HalfDuplex(open_activation(settings, eager=lambda: own.played), own)
    session, turn = Session(), Turn()
    state = directories.hoped_for(loaded, directories.STATE)
    mute = Mute(ear, state)
    board = Board(ear, activation, settings, session.id, mute=mute)
    doing = _does(loaded, state, board, activation, own)
    display = Display(console, board)
    sound = hear(
        ear,
        gate=open_gate(settings),
        segmenter=settings.segmenter,
        spec=wire.feature_spec(settings.cloud),
        activation=activation,
        session=session,
        turn=turn,
        on_block=board.level,
        hears_itself=lambda: own.heard,
        end_of_source_reason=EndReason.STOPPED,
    )
    with ExitStack() as started:
        control = started.enter_context(ControlServer(directories.usable(loaded, directories.RUNTIME), board.commands))
        started.callback(display.update)
        spool = started.enter_context(_open_spool(loaded, board, doing.acting))
        board.keeps(spool, recogniser.services)
        # Only whoever has the spool may go on with what another daemon left to be done.
        started.enter_context(doing.acting)
        keeping = started.enter_context(Keeping(recogniser, spool, wire.feature_spec(settings.cloud), session.clock))
        started.enter_context(doing.answering)
        started.enter_context(doing.household.timekeeper)
        _watch_lines(settings, board, mute, started)
        ports = [
            *_serve_page(loaded, board, spool, recogniser, keeping, started),
            *_open_monitoring(settings, board, started),
        ]
        hearing = Worker("hearing", lambda: _ask(sound, keeping, board, turn))
        started.callback(_stop_hearing, ear, hearing, board, stop_s_max)
        hearing.start()
        asked = ", ".join(service.address for service in recogniser.services()) or "none"
        logger.info("listening to %s; activation: %s; service: %s", ear.name, activation.mode, asked)
        supervision.ready()
        give_back()
        parts = (*spool.workers, control.worker, *doing.workers, *ports, hearing)
        while _all_well(recogniser, *parts) and _goes_on(wait(display.period_s or LOOK_S), board, mute):
            display.update()
            doing.answering.look()
            supervision.status(board.summary())
            if board.ailment() is None:
                supervision.feed()
        supervision.stopping()


class Doing(NamedTuple):
    """What comes of an answer."""

    household: Household
    answering: Answering
    acting: Acting

    @property
    def workers(self) -> tuple[Worker, ...]:
        return (self.household.timekeeper.worker, *self.acting.workers, *self.answering.workers)


def _does(loaded: Loaded[EdgeSettings], state: Path, board: Board, activation: HalfDuplex, own: OwnSound) -> Doing:
    """What the board does and tells, joined with it."""
    settings = loaded.settings
    household = Household(
        state,
        boot_id(),
        ring=lambda: answering.ring(),
        on_change=lambda: answering.look(),
        reply=board.reply,
        dry_run=settings.actions.dry_run,
    )
    answering = Answering(
        settings.answer,
        activation,
        own,
        silence=household.timekeeper.silence,
        replies_itself=household.replies,
        doing=board.doing,
    )
    told = Told(lambda with_spool: board.status(with_spool=with_spool), board.commands)
    acting = Acting(loaded, told, (household.sink,))
    board.answers(answering, household)
    board.acts(acting.status)
    return Doing(household, answering, acting)


def _watch_lines(settings: EdgeSettings, board: Board, mute: Mute, started: ExitStack) -> None:
    """Button and switch, where they are set."""
    if settings.activation.gpio >= 0:
        started.callback(watch_button(settings.activation.gpio, lambda: quietly(board.press)).close)
    if settings.mute.gpio >= 0:
        # Before anything is heard: the switch may be on already.
        started.callback(watch_switch(settings.mute.gpio, mute.switch).close)


def _serve_page(
    loaded: Loaded[EdgeSettings],
    board: Board,
    spool: Spool,
    recogniser: Recogniser,
    answerer: Answerer,
    started: ExitStack,
) -> list[Worker]:
    """The page for phones, where it is set; nothing of it is loaded where it is not."""
    if not loaded.settings.page.listen:
        return []
    from edge.page.board_page import open_page

    return [started.enter_context(open_page(loaded, board, spool, recogniser, answerer)).worker]


def _open_monitoring(settings: EdgeSettings, board: Board, started: ExitStack) -> list[Worker]:
    """Figures by HTTP, where that is set; nothing of it is loaded where it is not."""
    if not settings.monitoring.listen:
        return []
    from edge.board.monitoring import Monitoring

    listen = parse_address(settings.monitoring.listen, called="monitoring.listen", port_min=0)
    monitoring = started.enter_context(Monitoring(listen, board.status))
    logger.info("monitoring on %s", monitoring.address)
    return [monitoring.worker]


def _open_spool(loaded: Loaded[EdgeSettings], board: Board, acting: Acting) -> Spool:
    spec = wire.feature_spec(loaded.settings.cloud)

    def tell(event: Event) -> None:
        acting.take(event)
        board.tell(event)

    return Spool(
        directories.hoped_for(loaded, directories.STATE) / FILE_NAME,
        loaded.settings.spool,
        boot_id=boot_id(),
        coding=kept_frames.coding(spec),
        hop_ms=spec.frame_ms,
        on_event=tell,
    )


def _player(file: str) -> Ear:
    from edge.sound.audio_file import AudioFile  # Its libraries are not for a board that listens.

    return Player(AudioFile(file, realtime=True))


def _ask(sound: Iterable[Heard], answerer: Answerer, board: Board, turn: Turn) -> None:
    """The hearing thread."""

    def begin(head: UtteranceHead) -> Exchange:
        exchange = Exchange(answerer, head, on_over=board.over, on_turn=turn.tell, on_partial=board.partial)
        board.heard(exchange)
        return exchange

    exchange_all(sound, begin, board.ended)


def _stop_hearing(ear: Ear, hearing: Worker, board: Board, patience_s: float) -> None:
    """Ends the utterance under way, and waits for the answers that are owed."""
    until_s = time.monotonic() + patience_s
    ear.close()
    hearing.join(patience_s)
    for exchange in board.awaited():
        exchange.wait(max(0.0, until_s - time.monotonic()))


def _all_well(recogniser: Recogniser, *workers: Worker) -> bool:
    """False when the last of the workers, which hears, has no more to hear. InputError or DaemonError, a sentence, if a
    part died."""
    # Asked first: a thread that dies while the others are looked at has left its error by the next time.
    still_hearing = workers[-1].alive
    if not recogniser.alive:
        raise DaemonError("The network's thread or the local model's died; the daemon cannot go on without it.")
    for worker in workers:
        if isinstance(worker.error, InputError):
            raise worker.error
        if isinstance(worker.error, ParrotletError):
            raise DaemonError(f"The daemon cannot go on. {worker.error}") from worker.error
        if worker.error is not None:
            logger.debug("the %s thread died", worker.name, exc_info=worker.error)
            cause = f"{type(worker.error).__name__} ({worker.error})"
            raise DaemonError(
                f"The {worker.name} thread died of {cause}; --log-level debug says where."
            ) from worker.error
    return still_hearing


def _goes_on(received: int | None, board: Board, mute: Mute) -> bool:
    """Whether the signal, if there was one, lets the daemon go on."""
    if received == signal.SIGUSR1:
        quietly(board.press)
    elif received == signal.SIGUSR2:
        quietly(mute.toggle)
    elif received is not None:
        logger.info("stopping on %s", signal.Signals(received).name)
        return False
    return True


def quietly(act: Callable[[], object]) -> None:
    """What is asked by somebody who cannot be told why not."""
    try:
        act()
    except ParrotletError as error:
        logger.info("not done: %s", error)


@contextmanager
def _waiting_for_signals() -> Iterator[Wait]:
    """Holds SIGNALS back, for threads started from now on too, so that they only ever end a wait."""

    def wait(timeout_s: float) -> int | None:
        received = signal.sigtimedwait(SIGNALS, timeout_s)
        return received.si_signo if received else None

    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield wait
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
