"""What is kept and sent later: a real spool, a service that answers as the test says, a clock that it moves."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from edge_fakes import ANSWER, utterance

from edge.asking import link
from edge.asking.answer import Answer
from edge.asking.answer import Path as AnswerPath
from edge.asking.cloud_channel import CallFailed, Trouble
from edge.asking.cloud_client import CloudClient
from edge.asking.link import Link
from edge.asking.network import Network
from edge.clock import Clock
from edge.settings import Cloud
from edge.settings import Spool as Settings
from edge.speech.utterance import UtteranceEnd, UtteranceFrames, UtteranceHead
from edge.spool import kept_frames, replay
from edge.spool.event import Event, Kind
from edge.spool.keeping import KeptOutcome
from edge.spool.replay import STANDS_BACK_SHARE, Replayer
from edge.spool.spool import Spool
from edge.spool.store import Kept, Piece, State
from edge.spool.unwritten import Entry
from protos.feature_spec import DEFAULT_SPEC, FeatureSpec
from tests.test_cloud_client import END, answers, head, service

WAIT_S = 20
SHELF_LIFE_S = 120
BROKEN = CallFailed("there:1: the service did not answer in time.", Trouble.BROKEN)


class Now:
    """A clock that moves when it is told."""

    def __init__(self) -> None:
        self.s = 10.0
        self.synchronised: bool | None = True

    def clock(self) -> Clock:
        return Clock(lambda: self.s, lambda: 1_700_000_000_000_000 + round(self.s * 1e6), lambda: self.synchronised)


class ThisLoop(Network):
    """The test's own loop in place of a thread's."""

    def begin(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        return asyncio.create_task(work)


class Sender:
    """Remembers what it is sent, and answers by `outcomes`; then always."""

    address = "there:1"
    network = ThisLoop()

    def __init__(self, *outcomes: Answer | CallFailed) -> None:
        self.outcomes = list(outcomes)
        self.there = True
        self.breaks_over = ""
        self.probes = 0
        self.sent: list[tuple[UtteranceHead, Sequence[UtteranceFrames], FeatureSpec, int]] = []
        self.patience_s: list[float] = []
        self.local_answers: list[Answer | None] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.at_once = 0
        self.at_once_max = 0

    async def probe(self) -> None:
        self.probes += 1
        if not self.there:
            raise CallFailed("there:1: the service cannot be reached.", Trouble.AWAY)

    async def replay(
        self,
        head: UtteranceHead,
        frames: Sequence[UtteranceFrames],
        end: UtteranceEnd,
        spec: FeatureSpec,
        attempt: int,
        patience_s: float,
        local_answer: Answer | None,
    ) -> Answer:
        self.local_answers.append(local_answer)
        self.patience_s.append(patience_s)
        self.sent.append((head, frames, spec, attempt))
        self.at_once += 1
        self.at_once_max = max(self.at_once, self.at_once_max)
        await self.may_answer.wait()
        self.at_once -= 1
        if head.utterance_id == self.breaks_over:
            raise BROKEN
        outcome = self.outcomes.pop(0) if self.outcomes else ANSWER
        if isinstance(outcome, CallFailed):
            raise outcome
        return outcome

    @property
    def ids(self) -> list[str]:
        return [head.utterance_id for head, *_ in self.sent]


class Replaying:
    """A spool that is being sent."""

    def __init__(self, folder: Path, sender: Sender | CloudClient, now: Now, boot_id: str, streams_max: int) -> None:
        self.events: list[Event] = []
        self.now = now
        settings = Settings(replay_jitter_s_max=7, replay_streams_max=streams_max, shelf_life_s=SHELF_LIFE_S)
        coding = kept_frames.coding(DEFAULT_SPEC)
        self.spool = Spool(
            folder / "spool.db", settings, boot_id=boot_id, coding=coding, hop_ms=10, on_event=self.events.append
        )
        self.draws: list[tuple[float, float]] = []
        self.replayer = Replayer(self.spool, "cloud", sender, Link(sender), now.clock(), self._draw)

    def _draw(self, least: float, most: float) -> float:
        self.draws.append((least, most))
        return least

    def keep(
        self, number: int, *, told: bool = False, synchronised: bool | None = True, told_by: AnswerPath = "house"
    ) -> None:
        """An utterance of one second that has just been said."""
        head, frames, end = utterance(number)
        assert isinstance(head, UtteranceHead)
        assert isinstance(end, UtteranceEnd)
        assert isinstance(frames, UtteranceFrames)
        started_s = self.now.s - 1
        head = msgspec.structs.replace(
            head,
            started_monotonic_s=started_s,
            started_at_unix_us=1_700_000_000_000_000 + round(started_s * 1e6) if synchronised else 5,
            clock_synchronised=synchronised,
        )
        entry = self.spool.begin(head)
        coded = kept_frames.encoder(DEFAULT_SPEC).encode(frames.levels)
        self.spool.append(entry, Piece(0, len(frames.levels), coded))
        self.spool.finish(entry, end)
        if told:
            self.spool.tell(entry, Kind.FINAL, answer=msgspec.structs.replace(ANSWER, path=told_by))
        self.spool.release(entry)

    def kept(self) -> list[Kept]:
        return self.spool.ask(lambda store: store.kept()).result(WAIT_S)

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not done():
                self.replayer.look()
                await asyncio.sleep(0.001)

    async def empty(self) -> None:
        await self.until(lambda: not self.kept())

    def told(self) -> list[tuple[str, Kind]]:
        return [(event.utterance_id, event.kind) for event in self.events]


@asynccontextmanager
async def replaying(
    folder: Path, sender: Sender, *, now: Now | None = None, boot_id: str = "boot", streams_max: int = 1, begin: int = 0
) -> AsyncIterator[Replaying]:
    """`begin`: so many utterances are there already."""
    made = Replaying(folder, sender, now or Now(), boot_id, streams_max)
    with made.spool:
        for number in range(begin):
            made.keep(number)
        running = asyncio.create_task(made.replayer.run())
        try:
            yield made
            assert not running.done()
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for pause in ("LOOK_S", "UNWELCOME_S"):
        monkeypatch.setattr(replay, pause, 0.001)
    for pause in ("FIRST_PROBE_S", "PROBE_S"):
        monkeypatch.setattr(link, pause, (0.001, 0.002))


def test_the_oldest_goes_first_and_what_is_answered_goes(tmp_path: Path) -> None:
    async def run() -> None:
        sender = Sender()
        async with replaying(tmp_path, sender, begin=3) as made:
            await made.empty()
            assert sender.ids == ["u0", "u1", "u2"]
            assert made.told() == [("u0", Kind.LATE), ("u1", Kind.LATE), ("u2", Kind.LATE)]
            assert all(event.may_act for event in made.events)
            _, frames, spec, attempt = sender.sent[0]
            assert np.array_equal(frames[0].levels, np.zeros((98, 80), np.int8))
            assert (spec, attempt) == (DEFAULT_SPEC, replay.LIVE_ATTEMPTS + 1)
            assert sender.at_once_max == 1

    asyncio.run(run())


@pytest.mark.parametrize("steps", range(6))
def test_it_ends_although_something_to_send_comes_just_then(tmp_path: Path, steps: int) -> None:
    """By asyncio.wait_for of Python 3.11 it went on for ever."""

    async def run() -> None:
        made = Replaying(tmp_path, Sender(), Now(), "boot", 1)
        with made.spool:
            running = asyncio.create_task(made.replayer.run())
            # It looks twice, finds nothing to send, and waits for something.
            await asyncio.sleep(0)
            for _ in range(2):
                made.kept()
                for _ in range(10):
                    await asyncio.sleep(0)
            made.replayer.look()
            for _ in range(steps):
                await asyncio.sleep(0)
            running.cancel()
            done, _ = await asyncio.wait([running], timeout=WAIT_S)
            assert done

    asyncio.run(run())


def test_no_more_at_a_time_than_are_wanted(tmp_path: Path) -> None:
    async def run() -> None:
        sender = Sender()
        sender.may_answer.clear()
        async with replaying(tmp_path, sender, streams_max=3, begin=7) as made:
            await made.until(lambda: sender.at_once == 3)
            sender.may_answer.set()
            await made.empty()
            assert sender.at_once_max == 3

    asyncio.run(run())


def test_boards_that_come_back_together_do_not_send_together(tmp_path: Path) -> None:
    async def run() -> None:
        sender = Sender()
        sender.there = False
        async with replaying(tmp_path, sender, begin=1) as made:
            await made.until(lambda: sender.probes > 1)
            assert not sender.sent
            sender.there = True
            await made.empty()
            assert made.draws == [(0, 7)]

    asyncio.run(run())


def test_it_stands_back_until_the_oldest_that_somebody_waits_for_is_a_quarter_of_its_shelf_life_old(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        sender, now = Sender(), Now()
        sender.may_answer.clear()
        async with replaying(tmp_path, sender, now=now) as made:
            for number, later_s in enumerate([SHELF_LIFE_S + 5, 20, 50, 0]):
                made.keep(number)
                now.s += later_s
            # The first one has expired; those behind it, 70 and 50 s old, cannot wait for it.
            await made.until(lambda: len(sender.sent) == 1)
            now.s -= 50
            sender.may_answer.set()
            await made.empty()
            assert sender.ids == ["u0", "u1", "u2", "u3"]
            assert sender.patience_s == [0, 10, 30, 30]
            made.keep(4)
            now.s += SHELF_LIFE_S + 5
            await made.empty()
            # Nobody waits for that, and something may come behind it.
            assert sender.patience_s[4:] == [30]

    asyncio.run(run())


def test_where_speech_never_pauses_what_was_kept_is_answered_within_its_shelf_life(tmp_path: Path) -> None:
    now = Now()
    with service(answers) as (speech, address), CloudClient(Cloud(address=address), device_id="kitchen") as client:
        made = Replaying(tmp_path, client, now, "boot", streams_max=2)
        with made.spool:
            for number in range(3):
                made.keep(number)
            now.s += SHELF_LIFE_S * STANDS_BACK_SHARE
            live = [client.start(head(number)) for number in range(2)]
            replaying = client.network.run(made.replayer.run())
            # There is always somebody who speaks.
            for _ in range(3):
                live.append(client.start(head(len(live))))
                live[0].finish(END)
                assert live.pop(0).answer(WAIT_S).transcript == "hello"
            until_s = time.monotonic() + WAIT_S
            while made.kept():
                assert time.monotonic() < until_s
            replaying.cancel()
            assert made.told() == [("u0", Kind.LATE), ("u1", Kind.LATE), ("u2", Kind.LATE)]


def test_what_somebody_sees_to_is_left_to_them(tmp_path: Path) -> None:
    async def run() -> None:
        sender = Sender()
        async with replaying(tmp_path, sender) as made:
            made.spool.live.add("u0")
            made.keep(0)
            made.spool.live.add("u0")
            made.keep(1)
            await made.until(lambda: len(made.kept()) == 1)
            assert sender.ids == ["u1"]

    asyncio.run(run())


def test_past_its_shelf_life_it_is_sent_for_the_log_alone(tmp_path: Path) -> None:
    async def run() -> None:
        sender, now = Sender(), Now()
        sender.there = False
        async with replaying(tmp_path, sender, now=now, begin=1) as made:
            now.s += SHELF_LIFE_S - 1
            await made.until(lambda: sender.probes > 1)
            assert made.told() == []
            now.s += 2
            await made.until(lambda: bool(made.events))
            assert made.told() == [("u0", Kind.EXPIRED)]
            assert not made.events[0].may_act
            sender.there = True
            await made.empty()
            assert sender.ids == ["u0"]
            assert len(made.events) == 1

    asyncio.run(run())


def test_what_another_answered_gets_the_better_answer_and_acts_once(tmp_path: Path) -> None:
    async def run() -> None:
        async with replaying(tmp_path, Sender()) as made:
            made.keep(0, told=True)
            await made.empty()
            assert made.told() == [("u0", Kind.FINAL), ("u0", Kind.BETTER)]
            assert [event.may_act for event in made.events] == [True, False]

    asyncio.run(run())


def test_what_the_board_answered_itself_goes_along(tmp_path: Path) -> None:
    async def run() -> None:
        sender = Sender()
        async with replaying(tmp_path, sender) as made:
            made.keep(0, told=True, told_by="local")
            made.keep(1, told=True)
            made.keep(2)
            await made.empty()
        assert sender.local_answers == [msgspec.structs.replace(ANSWER, path="local"), None, None]

    asyncio.run(run())


def test_what_the_service_could_not_write_down_is_told_once_and_kept_until_it_could(tmp_path: Path) -> None:
    async def run() -> None:
        not_logged = msgspec.structs.replace(ANSWER, not_logged=True)
        sender = Sender(not_logged, not_logged, msgspec.structs.replace(ANSWER, from_log=True))
        async with replaying(tmp_path, sender, begin=1) as made:
            await made.until(lambda: len(sender.ids) == 2)
            assert [kept.told for kept in made.kept()] == [True]
            await made.empty()
            assert made.told() == [("u0", Kind.LATE)]
            # A service that cannot write is not asked again and again without a pause.
            assert made.draws.count((0.1, 2.0)) == 1
            assert (0.1, 4.0) in made.draws

    asyncio.run(run())


def test_what_was_answered_live_and_not_written_down_is_kept(tmp_path: Path) -> None:
    async def run() -> None:
        sender = Sender()
        sender.may_answer.clear()
        async with replaying(tmp_path, sender) as made:
            head, _, end = utterance(0)
            assert isinstance(head, UtteranceHead)
            assert isinstance(end, UtteranceEnd)
            entry = made.spool.begin(head)
            outcome = KeptOutcome(made.spool, entry, Unheard(), made.replayer.look)
            made.spool.finish(entry, end)
            outcome.settle(msgspec.structs.replace(ANSWER, not_logged=True))
            outcome.be_left()
            await made.until(lambda: sender.ids == ["u0"])
            assert [kept.told for kept in made.kept()] == [True]
            sender.may_answer.set()
            await made.empty()
            assert made.told() == [("u0", Kind.FINAL)]

    asyncio.run(run())


class Unheard:
    """A listener that does nothing."""

    def hear_partial(self, partial: Any) -> None: ...

    def hear_turn(self, opinion: Any) -> None: ...

    def settle(self, outcome: Any) -> None: ...

    def improve(self, answer: Any) -> None: ...

    def be_left(self) -> None: ...


def test_what_is_refused_for_good_is_set_aside_and_the_rest_moves_on(tmp_path: Path) -> None:
    async def run() -> None:
        sender = Sender(CallFailed("there:1: refused (INVALID_ARGUMENT: no).", Trouble.REFUSED))
        async with replaying(tmp_path, sender, begin=2) as made:
            await made.until(lambda: len(made.kept()) == 1)
            (aside,) = made.kept()
            assert (aside.head.utterance_id, aside.state) == ("u0", State.QUARANTINED)
            assert aside.last_error == "there:1: refused (INVALID_ARGUMENT: no)."
            assert made.told() == [("u0", Kind.REFUSED), ("u1", Kind.LATE)]
            made.spool.ask(lambda store: store.retry(aside.number)).result(WAIT_S)
            await made.empty()
            assert sender.ids == ["u0", "u1", "u0"]

    asyncio.run(run())


def test_what_the_service_breaks_over_holds_up_no_other_and_is_set_aside_in_the_end(tmp_path: Path) -> None:
    async def run() -> None:
        sender = Sender()
        sender.breaks_over = "u0"
        async with replaying(tmp_path, sender, begin=3) as made:
            await made.until(lambda: len(made.kept()) == 1)
            assert sender.ids == ["u0", "u1", "u2"]

            def is_set_aside() -> bool:
                made.now.s += replay.BUSY_S_MAX
                return made.kept()[0].state is State.QUARANTINED

            await made.until(is_set_aside)
            attempts = [attempt for head, *_, attempt in sender.sent if head.utterance_id == "u0"]
            assert attempts == [replay.LIVE_ATTEMPTS + 1 + at for at in range(replay.BROKEN_MAX)]

    asyncio.run(run())


def test_a_busy_service_is_given_time(tmp_path: Path) -> None:
    async def run() -> None:
        busy = CallFailed("there:1: busy", Trouble.BUSY)
        sender = Sender(busy, busy, busy)
        async with replaying(tmp_path, sender, begin=1) as made:
            await made.empty()
            assert made.draws == [(0, 7), (0.1, 2.0), (0.1, 4.0), (0.1, 8.0)]

    asyncio.run(run())


@pytest.mark.parametrize("trouble", [Trouble.OTHER_TERMS, Trouble.SHUT_OUT])
def test_a_service_that_does_not_want_this_board_loses_nothing(tmp_path: Path, trouble: Trouble) -> None:
    async def run() -> None:
        unwelcome = CallFailed("there:1: unknown domain", trouble)
        sender = Sender(*[unwelcome] * 20)
        async with replaying(tmp_path, sender, begin=1) as made:
            await made.until(lambda: len(sender.sent) > 10)
            (kept,) = made.kept()
            assert (kept.state, kept.last_error) == (State.WAITING, "there:1: unknown domain")
            await made.empty()

    asyncio.run(run())


def test_times_are_put_right_when_the_clock_comes(tmp_path: Path) -> None:
    async def run() -> None:
        now, sender = Now(), Sender()
        now.synchronised = False
        async with replaying(tmp_path, sender, now=now) as made:
            sender.outcomes = [BROKEN]
            made.keep(0, synchronised=False)
            await made.until(lambda: made.kept()[0].attempts == 1)
            assert (sender.sent[0][0].started_at_unix_us, sender.sent[0][0].clock_synchronised) == (5, False)
            now.s += 60
            now.synchronised = True
            await made.empty()
            head = sender.sent[-1][0]
            assert (head.started_at_unix_us, head.clock_synchronised) == (1_700_000_009_000_000, True)
            assert made.events[-1].spoken_at_unix_us == 1_700_000_009_000_000

    asyncio.run(run())


@pytest.mark.parametrize(
    ("synchronised", "away_s", "kind"),
    [
        (True, 60, Kind.LATE),
        (True, 3600, Kind.EXPIRED),
        (False, 60, Kind.EXPIRED),
        (True, -60, Kind.LATE),
        (True, -86_400, Kind.EXPIRED),
    ],
)
def test_after_a_restart_of_the_machine_only_clocks_that_are_right_tell_the_age(
    tmp_path: Path, synchronised: bool, away_s: int, kind: Kind
) -> None:
    async def run() -> None:
        now, sender = Now(), Sender()
        sender.there = False
        async with replaying(tmp_path, sender, now=now, boot_id="before") as made:
            made.keep(0, synchronised=synchronised)
            made.kept()
        now.s += away_s
        async with replaying(tmp_path, Sender(), now=now, boot_id="after") as made:
            await made.empty()
            assert made.told() == [("u0", kind)]

    asyncio.run(run())


def test_what_another_release_kept_in_its_own_way_is_set_aside_with_the_reason(tmp_path: Path) -> None:
    async def run() -> None:
        async with replaying(tmp_path, Sender()) as made:
            made.spool.coding = "logmel40-8k-l9-00000000 1-00000000"
            made.keep(0)
            await made.until(lambda: [kept.state for kept in made.kept()] == [State.QUARANTINED])
            assert made.kept()[0].last_error == (
                "It was kept as logmel40-8k-l9-00000000 1-00000000, which this release cannot read."
            )

    asyncio.run(run())


@pytest.mark.parametrize("is_begun_meanwhile", [False, True])
def test_what_was_settled_while_the_spool_was_asked_has_no_second_final_and_is_not_sent(
    tmp_path: Path, is_begun_meanwhile: bool
) -> None:
    async def run() -> None:
        made = Replaying(tmp_path, Sender(), Now(), "boot", streams_max=2)
        with made.spool:
            made.keep(0)
            made.now.s += SHELF_LIFE_S + 5
            ask = made.replayer._ask

            async def ask_and_settle(question: Any) -> Any:
                made.spool.live.add("u0")
                read = await ask(question)
                made.spool.release(Entry(read[0].head))
                return read

            made.replayer._ask = ask_and_settle  # type: ignore[method-assign]
            for look in (made.replayer._tell_expired, made.replayer._next):
                if not is_begun_meanwhile:
                    made.spool.live.add("u0")
                found = await look()
                assert (made.events, found.kept if found else []) == ([], [])
            made.replayer._ask = ask  # type: ignore[method-assign]
            assert [kept.head.utterance_id for kept in (await made.replayer._next()).kept] == ["u0"]

    asyncio.run(run())
