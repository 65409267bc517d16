"""What one board may have of a service: streams at a time, utterances, feedback and bytes a minute. No honest board
meets these bounds by speaking; they keep one that is broken, or in wrong hands, from starving the others.

Each refusal is RESOURCE_EXHAUSTED with a sentence that names the bound: later, the same is welcome.
"""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import grpc

from cloud.request_stream import Refusal
from cloud.settings import CloudSettings, Limits, Server
from protos import speech_pb2

MINUTE_S = 60.0

DEVICES_MAX = 10_000
"""Boards whose use is remembered; nobody needs to be who was quiet for a minute."""


@dataclass(slots=True)
class _Spent:
    """Of a minute's allowance, until it is given back by time."""

    at_s: float
    utterances: float = 0.0
    feedback: float = 0.0
    bytes: float = 0.0


class Places:
    """One event loop's."""

    def __init__(
        self,
        server: Server | None = None,
        limits: Limits | None = None,
        *,
        streams_max: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.server = server or Server()
        self.limits = limits or Limits()
        self._streams_max = streams_max
        self._clock = clock
        self._live: Counter[str] = Counter()
        self._replayed: Counter[str] = Counter()
        self._spent: OrderedDict[str, _Spent] = OrderedDict()
        self._replays_max = max(1, int(self.server.streams_per_device_max * self.limits.replay_share_max))

    @property
    def taken(self) -> int:
        """Places that streams have."""
        return self._live.total() + self._replayed.total()

    def describe(self, limits: speech_pb2.Limits) -> None:
        """Tells boards what they may."""
        limits.streams_per_device_max = self.server.streams_per_device_max
        limits.replays_per_device_max = self._replays_max
        limits.utterances_per_minute_max = self.limits.utterances_per_minute_max
        limits.feedback_per_minute_max = self.limits.feedback_per_minute_max
        limits.bytes_per_minute_max = self._bytes_max

    def knock(self, device_id: str, *, replayed: bool) -> None:
        """An utterance comes. Refusal if there were too many; those of the spool leave half to live speech."""
        allowed = self.limits.utterances_per_minute_max
        if replayed:
            allowed = (allowed + 1) // 2
        spent = self._spent_by(device_id)
        if spent.utterances + 1 > allowed:
            of_spool = " from the spool" if replayed else ""
            raise _busy(f"This device sends more than {allowed} utterances{of_spool} a minute.")
        spent.utterances += 1

    def hear_feedback(self, device_id: str) -> None:
        """Something is said of an answer. Refusal if that was too often; it takes nothing from speech."""
        allowed = self.limits.feedback_per_minute_max
        spent = self._spent_by(device_id)
        if spent.feedback + 1 > allowed:
            raise _busy(f"This device sends feedback more than {allowed} times a minute.")
        spent.feedback += 1

    def take(self, device_id: str, *, replayed: bool) -> "Place":
        """A place for a stream. Refusal if there is none."""
        free = self._streams_max - self.taken
        own = self._live[device_id] + self._replayed[device_id]
        if free <= 0:
            raise _busy(f"{self._streams_max} utterances are in work.")
        if own >= self.server.streams_per_device_max:
            raise _busy(f"{self.server.streams_per_device_max} utterances of this device are in work.")
        if replayed and self._replayed[device_id] >= self._replays_max:
            raise _busy(f"{self._replays_max} utterances of this device from the spool are in work.")
        if free == 1 and self._streams_max > 1 and (own or replayed):
            raise _busy("The last free place is for live speech of a device that has none.")
        return Place(self, device_id, self._replayed if replayed else self._live)

    def count(self, device_id: str, size: int) -> None:
        """So many bytes came. Refusal if they are too many."""
        spent = self._spent_by(device_id)
        if spent.bytes + size > self._bytes_max:
            raise _busy(f"This device sends more than {self.limits.megabytes_per_minute_max} MB a minute.")
        spent.bytes += size

    @property
    def _bytes_max(self) -> int:
        return self.limits.megabytes_per_minute_max * 1_000_000

    def _spent_by(self, device_id: str) -> _Spent:
        now_s = self._clock()
        spent = self._spent.get(device_id) or _Spent(now_s)
        given_back = (now_s - spent.at_s) / MINUTE_S
        spent.at_s = now_s
        spent.utterances = max(0.0, spent.utterances - given_back * self.limits.utterances_per_minute_max)
        spent.feedback = max(0.0, spent.feedback - given_back * self.limits.feedback_per_minute_max)
        spent.bytes = max(0.0, spent.bytes - given_back * self._bytes_max)
        self._spent[device_id] = spent
        self._spent.move_to_end(device_id)
        while len(self._spent) > DEVICES_MAX or next(iter(self._spent.values())).at_s < now_s - MINUTE_S:
            self._spent.popitem(last=False)
        return spent


class Place:
    """A stream's, taken when it is made; a context manager that gives it back."""

    def __init__(self, places: Places, device_id: str, among: "Counter[str]") -> None:
        self._places = places
        self._device_id = device_id
        self._among = among
        among[device_id] += 1

    def __enter__(self) -> "Place":
        return self

    def __exit__(self, *cause: object) -> None:
        self._among[self._device_id] -= 1
        if not self._among[self._device_id]:
            del self._among[self._device_id]

    def count(self, size: int) -> None:
        """So many bytes came. Refusal if they are too many."""
        self._places.count(self._device_id, size)


def places(settings: CloudSettings, *, streams_max: int) -> Places:
    """Those of a service."""
    return Places(settings.server, settings.limits, streams_max=streams_max)


def _busy(sentence: str) -> Refusal:
    return Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, sentence)
