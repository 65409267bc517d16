"""One utterance in a chain of recognisers: who is asked when, and whose answer counts."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Generic, NamedTuple, Protocol, Self, TypeVar

import msgspec

from common.errors import CloudError, GivenUp, NotUnderstood
from edge.asking.answer import Answer, Partial, Path
from edge.asking.cloud_channel import CallFailed, Trouble
from edge.asking.link import Link
from edge.asking.network import Network
from edge.asking.recogniser import Listener
from edge.speech.turn import Opinion
from edge.speech.utterance import Progress, UtteranceEnd, UtteranceHead


class MemberStream(Protocol):
    """An utterance on its way to one member: `CloudStream`."""

    wire_bytes: int

    def send(self, heard: Progress) -> None: ...

    def finish(self, end: UtteranceEnd) -> None: ...

    def cancel(self) -> None: ...


class Asked(Protocol):
    """One recogniser: `CloudClient`, `OwnModel`. Its callbacks come in the network's thread."""

    address: str
    known_as: str | None

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def start(
        self,
        head: UtteranceHead,
        *,
        on_partial: Callable[[Partial], None],
        on_settled: Callable[[Answer | CloudError], None],
        on_turn: Callable[[Opinion], None],
        on_trouble: Callable[[CallFailed], None],
    ) -> MemberStream: ...


A = TypeVar("A", bound=Asked, covariant=True)


class Member(NamedTuple, Generic[A]):
    """A link of the chain."""

    path: Path
    service: A
    link: Link
    words_s_max: float
    """From the first sound until words must have come, before the next is asked."""
    final_s_max: float
    """From the endpoint until the final must have come."""
    wants_whole: bool = False
    """It is asked once the utterance is over; until then a better one may come back."""


class Try(NamedTuple):
    """A member that was asked."""

    stream: MemberStream
    timers: list[asyncio.TimerHandle]


class ChainStream:
    """One utterance. Everything but `send` and `finish` happens in the network's thread."""

    def __init__(
        self, network: Network, members: Sequence[Member[Asked]], head: UtteranceHead, listener: Listener
    ) -> None:
        self._network = network
        self._members = members
        self._head = head
        self._listener = listener
        # Bounded by the longest utterance that the segmenter cuts.
        self._heard: list[Progress] = []
        self._end: UtteranceEnd | None = None
        self._begun_at = 0.0
        self._tries: dict[int, Try] = {}
        self._working: set[int] = set()
        """Members that were asked and owe an answer."""
        self._not_yet = list(range(len(members)))
        """Members that were not asked."""
        self._faults: dict[int, CloudError] = {}
        """Why a member did not answer, or not in time."""
        self._late: set[int] = set()
        """Members that took too long, and have not said anything since."""
        self._answered_by: int | None = None
        self._settled = False
        self._left = False
        self._comeback: asyncio.Task[None] | None = None
        """Waits for a member that is down."""

    @property
    def wire_bytes(self) -> int:
        """Of all members."""
        return sum(tried.stream.wire_bytes for tried in list(self._tries.values()))

    def send(self, heard: Progress) -> None:
        self._network.soon(self._take, heard)

    def finish(self, end: UtteranceEnd) -> None:
        self._network.soon(self._finish, end)

    def begin(self) -> None:
        self._begun_at = asyncio.get_running_loop().time()
        self._ask_next()

    def _take(self, heard: Progress) -> None:
        if self._settled and not self._working:
            return
        self._heard.append(heard)
        for tried in self._streams():
            tried.stream.send(heard)

    def _finish(self, end: UtteranceEnd) -> None:
        self._end = end
        for number in sorted(self._working):
            self._tries[number].stream.finish(end)
            self._limit_final(number)
        if self._working <= self._late and not self._settled:
            self._ask_next()

    def _streams(self) -> Iterator[Try]:
        return (self._tries[number] for number in sorted(self._working))

    def _ask_next(self) -> None:
        """Asks the next member that is likely to answer. While none is, others of them may come back until the end."""
        for number in list(self._not_yet):
            member = self._members[number]
            if member.link.down is not None:
                self._faults[number] = member.link.down
            elif self._end is not None or not member.wants_whole:
                self._ask(number)
                return
        if self._working or self._settled:
            return
        if self._end is not None or not self._not_yet:
            self._give_up()
        elif missed := [number for number in self._not_yet if self._members[number].link.down is not None]:
            for number in missed:
                self._members[number].link.hurry()
            self._comeback = self._network.begin(self._ask_whoever_comes_back(missed))

    async def _ask_whoever_comes_back(self, missed: Sequence[int]) -> None:
        waiting = [asyncio.ensure_future(self._members[number].link.up()) for number in missed]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()
        if not self._settled and not self._working:
            self._ask_next()

    def _ask(self, number: int) -> None:
        member = self._members[number]
        self._not_yet.remove(number)
        self._working.add(number)
        stream = member.service.start(
            self._head,
            on_partial=lambda partial: self._hear_partial(number, partial),
            on_settled=lambda outcome: self._hear_outcome(number, outcome),
            on_turn=lambda opinion: self._hear_turn(number, opinion),
            on_trouble=lambda error: self._hear_trouble(number, error),
        )
        self._tries[number] = Try(stream, [])
        for heard in self._heard:
            stream.send(heard)
        if self._end is not None:
            stream.finish(self._end)
            self._limit_final(number)
        else:
            self._limit_words(number, self._begun_at)

    def _limit_words(self, number: int, since: float) -> None:
        member = self._members[number]
        for timer in self._tries[number].timers:
            timer.cancel()
        self._tries[number].timers.clear()
        late = f"{member.service.address}: no words within {member.words_s_max:g} s."
        self._limit(number, since + member.words_s_max, late)

    def _limit_final(self, number: int) -> None:
        """A file is sent faster than it was spoken: then the time of speaking comes on top."""
        assert self._end is not None
        member = self._members[number]
        for timer in self._tries[number].timers:
            timer.cancel()
        now = asyncio.get_running_loop().time()
        due = max(now, self._begun_at + self._end.duration_ms / 1000) + member.final_s_max
        self._limit(number, due, f"{member.service.address}: no answer within {member.final_s_max:g} s.")

    def _limit(self, number: int, due: float, why: str) -> None:
        """Asks the next member besides, if this one has said nothing by then."""

        def hedge() -> None:
            self._hedge(number, CloudError(why))

        self._tries[number].timers.append(self._network.at(due, hedge))

    def _hedge(self, number: int, why: CloudError) -> None:
        if self._working and number == max(self._working) and self._not_yet and not self._settled:
            self._faults[number] = why
            self._late.add(number)
            self._ask_next()

    def _hear_trouble(self, number: int, error: CallFailed) -> None:
        """It is tried again; nobody waits for that."""
        self._members[number].link.failed(error)
        self._hedge(number, error)

    def _hear_partial(self, number: int, partial: Partial) -> None:
        if self._end is None and partial.text:
            self._late.discard(number)
            # A link may die in the middle of a sentence.
            self._limit_words(number, asyncio.get_running_loop().time())
        if self._leads(number):
            self._listener.hear_partial(partial)

    def _hear_turn(self, number: int, opinion: Opinion) -> None:
        if self._leads(number):
            self._listener.hear_turn(opinion)

    def _leads(self, number: int) -> bool:
        """Whether it is the best at work that can be reached."""
        there = [one for one in self._working if self._members[one].link.down is None]
        return number == min(there or self._working, default=None)

    def _hear_outcome(self, number: int, outcome: Answer | CloudError) -> None:
        self._working.discard(number)
        for timer in self._tries[number].timers:
            timer.cancel()
        if isinstance(outcome, Answer):
            self._members[number].link.succeeded()
            self._answer(number, outcome)
        elif isinstance(outcome, GivenUp):
            self._faults[number] = outcome
            if not self._working:
                self._give_up()
        else:
            self._faults[number] = outcome
            if isinstance(outcome, NotUnderstood):
                self._members[number].link.succeeded()
            else:
                self._members[number].link.failed(outcome)
            if not self._settled:
                self._ask_next()
        self._leave()

    def _answer(self, number: int, answer: Answer) -> None:
        why_not_better = _sentences(self._faults[better] for better in range(number) if better in self._faults)
        if number and not why_not_better:
            why_not_better = "No better service has answered."
        answer = msgspec.structs.replace(answer, path=self._members[number].path, why_not_better=why_not_better or None)
        before, self._answered_by = self._answered_by, number
        self._not_yet = [better for better in self._not_yet if better < number]
        if before is None:
            self._settle(answer)
        elif number < before:
            self._listener.improve(answer)
        for worse in [one for one in self._working if one > number]:
            self._tries[worse].stream.cancel()

    def _give_up(self) -> None:
        if not self._members:
            self._settle(CloudError("No service is set to ask: cloud.address is empty."))
            return
        # Whether it may be sent again is up to the best one.
        best = self._faults.get(0)
        trouble = best.trouble if isinstance(best, CallFailed) else Trouble.AWAY
        self._settle(CallFailed(_sentences(self._faults[number] for number in sorted(self._faults)), trouble))

    def _settle(self, outcome: Answer | CloudError) -> None:
        if not self._settled:
            self._settled = True
            if self._comeback is not None:
                self._comeback.cancel()
            self._listener.settle(outcome)
        self._leave()

    def _leave(self) -> None:
        if self._settled and not self._working and not self._left:
            self._left = True
            # Whoever shows the answer still holds on to this; the frames are of no use to anybody.
            self._heard.clear()
            self._listener.be_left()


def _sentences(errors: Iterable[CloudError]) -> str:
    return " ".join(map(str, errors))
