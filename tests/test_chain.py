"""The chain of recognisers with members that answer when the test says so."""

import asyncio
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path as Path_
from types import TracebackType
from typing import Any, Self

import msgspec
import pytest
from edge_fakes import ANSWER, utterance

from common.errors import CloudError, GivenUp
from common.settings import load
from edge.asking import link
from edge.asking.answer import Answer, Partial, Path
from edge.asking.chain import Chain
from edge.asking.chain_stream import ChainStream, Member
from edge.asking.cloud_channel import CallFailed, Trouble
from edge.asking.link import Link
from edge.asking.network import Network
from edge.asking.services import chain_of
from edge.settings import EdgeSettings
from edge.speech.turn import Opinion
from edge.speech.utterance import Progress, UtteranceEnd, UtteranceHead

WAIT_S = 20
SOON_S = 0.05
NEVER_S = 60.0

AWAY = CallFailed("there:1: the service cannot be reached.", Trouble.AWAY)


class Sent:
    """A stream to a member."""

    def __init__(
        self,
        on_partial: Callable[[Partial], None],
        on_settled: Callable[[Answer | CloudError], None],
        on_trouble: Callable[[CallFailed], None],
    ) -> None:
        self.on_trouble = on_trouble
        self.wire_bytes = 0
        self.heard: list[Progress | UtteranceEnd] = []
        self.on_partial = on_partial
        self.on_settled = on_settled
        self.settled = False

    def send(self, heard: Progress) -> None:
        self.heard.append(heard)
        self.wire_bytes += 1

    def finish(self, end: UtteranceEnd) -> None:
        self.heard.append(end)

    def cancel(self) -> None:
        self.settle(GivenUp("given up"))

    def settle(self, outcome: Answer | CloudError) -> None:
        if not self.settled:
            self.settled = True
            self.on_settled(outcome)


class Service:
    """A member; `there` is what its probe finds."""

    def __init__(self, network: Network, address: str) -> None:
        self.network = network
        self.address = address
        self.known_as = None
        self.there = False
        self.probed = 0
        self.streams: list[Sent] = []
        self.asked = threading.Semaphore(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    async def probe(self) -> None:
        self.probed += 1
        if not self.there:
            raise AWAY

    async def replay(self, *arguments: Any) -> Answer:
        raise AssertionError("not in these tests")

    def start(
        self,
        head: UtteranceHead,
        *,
        on_partial: Callable[[Partial], None],
        on_settled: Callable[[Answer | CloudError], None],
        on_turn: Callable[[Opinion], None],
        on_trouble: Callable[[CallFailed], None],
    ) -> Sent:
        self.streams.append(Sent(on_partial, on_settled, on_trouble))
        self.asked.release()
        return self.streams[-1]

    def settle(self, outcome: Answer | CloudError, number: int = -1) -> None:
        """In the network's thread, as a service would."""

        async def settle() -> None:
            self.streams[number].settle(outcome)

        self.network.run(settle()).result(WAIT_S)

    def tell_trouble(self, error: CallFailed) -> None:
        async def tell() -> None:
            self.streams[-1].on_trouble(error)

        self.network.run(tell()).result(WAIT_S)

    def tell_partial(self, text: str) -> None:
        async def tell() -> None:
            self.streams[-1].on_partial(Partial(text, ""))

        self.network.run(tell()).result(WAIT_S)


class Outcome:
    """A Listener."""

    def __init__(self) -> None:
        self.partials: list[str] = []
        self.settled: list[Answer | CloudError] = []
        self.better: list[Answer] = []
        self.left = 0
        self.over = threading.Event()

    def hear_partial(self, partial: Partial) -> None:
        self.partials.append(partial.text)

    def hear_turn(self, opinion: Opinion) -> None:
        pass

    def settle(self, outcome: Answer | CloudError) -> None:
        self.settled.append(outcome)
        self.over.set()

    def improve(self, answer: Answer) -> None:
        assert not self.left
        self.better.append(answer)

    def be_left(self) -> None:
        assert self.settled
        self.left += 1

    @property
    def answer(self) -> Answer:
        assert self.over.wait(WAIT_S)
        (outcome,) = self.settled
        assert isinstance(outcome, Answer)
        return outcome

    @property
    def error(self) -> CloudError:
        assert self.over.wait(WAIT_S)
        (outcome,) = self.settled
        assert isinstance(outcome, CloudError)
        return outcome


class Linked:
    """A chain of two, "cloud" and "house"."""

    def __init__(self, words_s_max: float = NEVER_S, final_s_max: float = NEVER_S) -> None:
        network = Network()
        self.cloud, self.house = Service(network, "cloud:1"), Service(network, "house:1")
        named: tuple[tuple[Path, Service], ...] = (("cloud", self.cloud), ("house", self.house))
        self.links = [Link(self.cloud), Link(self.house)]
        self.chain = Chain(
            network,
            [
                Member(path, service, one, words_s_max, final_s_max)
                for (path, service), one in zip(named, self.links, strict=True)
            ],
        )

    def say(self, *, to_the_end: bool = True) -> tuple[ChainStream, Outcome]:
        head, frames, end = utterance(0)
        assert isinstance(head, UtteranceHead)
        assert isinstance(end, UtteranceEnd)
        outcome = Outcome()
        stream = self.chain.start(head, outcome)
        stream.send(frames)  # type: ignore[arg-type]
        if to_the_end:
            stream.finish(end)
        return stream, outcome

    def settled(self) -> None:
        """All that was sent has arrived."""
        self.chain.network.run(asyncio.sleep(0)).result(WAIT_S)


@pytest.fixture
def both() -> Iterator[Linked]:
    linked = Linked()
    with linked.chain:
        yield linked


@pytest.fixture(autouse=True)
def quick_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    for pause in ("FIRST_PROBE_S", "PROBE_S"):
        monkeypatch.setattr(link, pause, (0.001, 0.002))


def test_the_first_is_asked_and_nobody_else_while_it_answers(both: Linked) -> None:
    _, outcome = both.say()
    both.settled()
    both.cloud.settle(ANSWER)
    assert outcome.answer == ANSWER
    assert [type(heard).__name__ for heard in both.cloud.streams[0].heard] == ["UtteranceFrames", "UtteranceEnd"]
    assert not both.house.streams


def test_what_is_over_holds_no_frames(both: Linked) -> None:
    head, frames, end = utterance(0)
    levels = weakref.ref(frames.levels)  # type: ignore[union-attr]
    stream = both.chain.start(head, Outcome())  # type: ignore[arg-type]
    stream.send(frames)  # type: ignore[arg-type]
    stream.finish(end)  # type: ignore[arg-type]
    both.settled()
    both.cloud.settle(ANSWER)
    both.cloud.streams[0].heard.clear()
    del frames
    both.settled()
    assert levels() is None
    assert stream.wire_bytes == 1


def test_only_the_best_one_settles_whatever_it_is_called(both: Linked) -> None:
    _, outcome = both.say()
    both.settled()
    both.cloud.settle(AWAY)
    both.house.settle(ANSWER)
    assert not outcome.answer.settles
    alone = Chain(both.chain.network, both.chain.members[1:])
    outcome = Outcome()
    stream = alone.start(utterance(1)[0], outcome)  # type: ignore[arg-type]
    stream.finish(utterance(1)[-1])  # type: ignore[arg-type]
    both.settled()
    both.house.settle(ANSWER)
    assert (outcome.answer.path, outcome.answer.settles) == ("house", True)


def test_all_services_are_sent_the_frames_that_the_board_makes(tmp_path: Path_) -> None:
    options = {"cloud.levels": 10, "house.address": "127.0.0.1:2", "device.state_dir": str(tmp_path)}
    loaded = load(EdgeSettings, file=None, environment={}, environment_prefix="X", options=options)
    services = [member.service for member in chain_of(loaded).members]
    assert [service.spec.levels for service in services] == [10, 10]  # type: ignore[attr-defined]


def test_when_the_first_fails_the_next_gets_all_that_was_heard(both: Linked) -> None:
    stream, outcome = both.say(to_the_end=False)
    both.settled()
    both.cloud.settle(AWAY)
    stream.finish(utterance(0)[-1])  # type: ignore[arg-type]
    both.settled()
    assert both.house.streams[0].heard == utterance_tail(both)
    both.house.settle(ANSWER)
    assert outcome.answer.path == "house"
    assert outcome.answer.why_not_better == "there:1: the service cannot be reached."


def utterance_tail(both: Linked) -> list[Any]:
    return [*both.cloud.streams[0].heard[:1], utterance(0)[-1]]


def test_the_next_is_asked_besides_when_the_final_takes_too_long() -> None:
    linked = Linked(final_s_max=SOON_S)
    with linked.chain:
        _, outcome = linked.say()
        assert linked.house.asked.acquire(timeout=WAIT_S)
        linked.house.settle(ANSWER)
        assert outcome.answer.path == "house"
        assert outcome.answer.why_not_better == "cloud:1: no answer within 0.05 s."
        assert not outcome.left
        better = msgspec.structs.replace(ANSWER, transcript="set a timer for two minutes")
        linked.cloud.settle(better)
        assert outcome.better == [better]
        assert outcome.left == 1


def test_while_the_first_is_away_the_user_sees_what_the_next_hears(both: Linked) -> None:
    _, outcome = both.say()
    both.settled()
    both.cloud.tell_partial("set")
    both.cloud.tell_trouble(CallFailed("cloud:1: trouble.", Trouble.BUSY))
    both.house.tell_partial("said")
    assert outcome.partials == ["set"]
    both.cloud.tell_trouble(AWAY)
    both.house.tell_partial("said a")
    assert outcome.partials == ["set", "said a"]
    both.cloud.there = True
    both.chain.network.run(both.links[0].up()).result(WAIT_S)
    both.house.tell_partial("said a time")
    both.cloud.tell_partial("set a timer")
    assert outcome.partials == ["set", "said a", "set a timer"]


def test_a_first_that_fails_after_the_next_has_answered_is_not_asked_again() -> None:
    linked = Linked(final_s_max=SOON_S)
    with linked.chain:
        _, outcome = linked.say()
        assert linked.house.asked.acquire(timeout=WAIT_S)
        linked.house.settle(ANSWER)
        linked.cloud.settle(AWAY)
        assert (outcome.answer.path, outcome.left) == ("house", 1)
        assert len(linked.cloud.streams) == 1


def test_the_first_may_still_win_and_the_other_is_given_up() -> None:
    linked = Linked(final_s_max=SOON_S)
    with linked.chain:
        _, outcome = linked.say()
        assert linked.house.asked.acquire(timeout=WAIT_S)
        linked.cloud.settle(ANSWER)
        assert (outcome.answer.path, outcome.better) == ("cloud", [])
        assert linked.house.streams[0].settled
        assert linked.links[1].down is None
        assert outcome.left == 1


def test_the_next_is_asked_besides_when_no_words_come_in_time() -> None:
    linked = Linked(words_s_max=SOON_S)
    with linked.chain:
        linked.say(to_the_end=False)
        assert linked.house.asked.acquire(timeout=WAIT_S)


def test_words_in_time_keep_the_next_from_being_asked_for_as_long_again() -> None:
    linked = Linked()
    with linked.chain:
        stream, outcome = linked.say(to_the_end=False)
        assert linked.cloud.asked.acquire(timeout=WAIT_S)
        (before,) = stream._tries[0].timers
        linked.cloud.tell_partial("set a")
        (after,) = stream._tries[0].timers
        assert before.cancelled()
        assert after.when() > before.when()
        assert outcome.partials == ["set a"]
        assert not linked.house.streams


def test_the_next_is_asked_when_the_words_of_the_first_run_dry() -> None:
    linked = Linked(words_s_max=0.2)
    with linked.chain:
        linked.say(to_the_end=False)
        assert linked.cloud.asked.acquire(timeout=WAIT_S)
        linked.cloud.tell_partial("set a")
        assert linked.house.asked.acquire(timeout=WAIT_S)


@pytest.mark.parametrize("trouble", [Trouble.AWAY, Trouble.BROKEN, Trouble.BUSY])
def test_the_next_is_asked_while_the_first_is_tried_again(both: Linked, trouble: Trouble) -> None:
    _, outcome = both.say()
    both.settled()
    both.cloud.tell_trouble(CallFailed("cloud:1: trouble.", trouble))
    both.cloud.tell_trouble(CallFailed("cloud:1: trouble.", trouble))
    assert len(both.house.streams) == 1
    assert (both.links[0].down is None) == (trouble is Trouble.BUSY)
    both.house.settle(ANSWER)
    assert (outcome.answer.path, outcome.answer.why_not_better) == ("house", "cloud:1: trouble.")
    both.cloud.settle(ANSWER)
    assert outcome.better == [ANSWER]
    assert both.links[0].down is None


def test_when_nobody_answers_it_says_why_and_whether_to_try_again(both: Linked) -> None:
    _, outcome = both.say()
    both.settled()
    both.cloud.settle(CallFailed("cloud:1: refused.", Trouble.REFUSED))
    both.house.settle(AWAY)
    assert str(outcome.error) == "cloud:1: refused. there:1: the service cannot be reached."
    assert isinstance(outcome.error, CallFailed)
    assert outcome.error.trouble is Trouble.REFUSED


def test_one_that_is_away_is_asked_in_the_background_and_the_next_at_once(both: Linked) -> None:
    both.say()
    both.settled()
    both.cloud.settle(AWAY)
    both.house.settle(ANSWER)
    _, outcome = both.say()
    both.settled()
    assert len(both.cloud.streams) == 1
    both.house.settle(ANSWER)
    assert outcome.answer.why_not_better == "there:1: the service cannot be reached."
    both.cloud.there = True
    both.chain.network.run(both.links[0].up()).result(WAIT_S)
    assert both.cloud.probed
    both.say()
    both.settled()
    assert len(both.cloud.streams) == 2


def test_one_that_breaks_again_and_again_is_asked_in_the_background(both: Linked) -> None:
    for number in range(link.FAILURES_MAX):
        assert both.links[0].down is None
        both.say()
        both.settled()
        assert len(both.cloud.streams) == number + 1
        both.cloud.settle(CallFailed("cloud:1: the service did not answer in time.", Trouble.BROKEN))
        both.house.settle(ANSWER)
    assert both.links[0].down is not None


def test_a_service_that_says_it_is_busy_or_refuses_is_there(both: Linked) -> None:
    for trouble in (Trouble.BUSY, Trouble.REFUSED, Trouble.OTHER_TERMS) * 2:
        both.say()
        both.settled()
        both.cloud.settle(CallFailed("no", trouble))
        both.house.settle(ANSWER)
        assert both.links[0].down is None


def test_while_all_are_down_the_user_waits_for_nobody_but_one_that_comes_back_is_asked(both: Linked) -> None:
    both.say()
    both.settled()
    both.cloud.settle(AWAY)
    both.house.settle(AWAY)
    _, outcome = both.say()
    assert "cannot be reached" in str(outcome.error)
    stream, outcome = both.say(to_the_end=False)
    both.settled()
    both.cloud.there = True
    while not both.cloud.asked.acquire(timeout=0.01) or len(both.cloud.streams) == 1:
        pass
    stream.finish(utterance(0)[-1])  # type: ignore[arg-type]
    both.settled()
    assert len(both.cloud.streams[-1].heard) == 2
    both.cloud.settle(ANSWER)
    assert outcome.answer.path == "cloud"


def test_an_utterance_that_is_given_up_is_nobody_s_fault(both: Linked) -> None:
    for _ in range(link.FAILURES_MAX):
        _, outcome = both.say()
        both.settled()
        both.cloud.settle(GivenUp("given up"))
        assert "given up" in str(outcome.error)
    assert both.links[0].down is None


def test_a_chain_of_nobody_says_so() -> None:
    network = Network()
    with Chain(network, []) as chain:
        outcome = Outcome()
        stream = chain.start(utterance(0)[0], outcome)  # type: ignore[arg-type]
        stream.finish(utterance(0)[-1])  # type: ignore[arg-type]
        assert str(outcome.error) == "No service is set to ask: cloud.address is empty."
