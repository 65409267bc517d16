"""What one board may have of a service, and that no board meets it by speaking."""

from collections.abc import Callable

import pytest

from cloud.places import DEVICES_MAX, Places
from cloud.request_stream import Refusal
from cloud.settings import Limits, Server
from protos import speech_pb2


class Clock:
    """Says what it is told."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def places(clock: Clock, *, streams_max: int = 64, per_device: int = 4, **limits: float) -> Places:
    return Places(
        Server(streams_per_device_max=per_device),
        Limits(**limits),  # type: ignore[arg-type]
        streams_max=streams_max,
        clock=clock,
    )


def refused(do: Callable[[], object]) -> str:
    """Why it was."""
    with pytest.raises(Refusal) as caught:
        do()
    assert caught.value.code.name == "RESOURCE_EXHAUSTED"
    return caught.value.sentence


def test_utterances_of_a_minute_are_bounded_and_come_back_with_time(clock: Clock) -> None:
    service = places(clock, utterances_per_minute_max=6)
    for _ in range(6):
        service.knock("kitchen", replayed=False)
    assert refused(lambda: service.knock("kitchen", replayed=False)) == (
        "This device sends more than 6 utterances a minute."
    )
    service.knock("garage", replayed=False)
    clock.now_s += 10.0
    service.knock("kitchen", replayed=False)
    assert refused(lambda: service.knock("kitchen", replayed=False))


def test_what_comes_from_the_spool_leaves_half_to_live_speech(clock: Clock) -> None:
    service = places(clock, utterances_per_minute_max=6)
    for _ in range(3):
        service.knock("kitchen", replayed=True)
    assert refused(lambda: service.knock("kitchen", replayed=True)) == (
        "This device sends more than 3 utterances from the spool a minute."
    )
    for _ in range(3):
        service.knock("kitchen", replayed=False)


def test_bytes_of_a_minute_are_bounded(clock: Clock) -> None:
    service = places(clock, megabytes_per_minute_max=1)
    with service.take("kitchen", replayed=False) as place:
        place.count(900_000)
        assert refused(lambda: place.count(200_000)) == "This device sends more than 1 MB a minute."
        clock.now_s += 30.0
        place.count(200_000)
    with service.take("garage", replayed=False) as place:
        place.count(1_000_000)


def test_a_board_has_so_many_streams_and_fewer_of_them_from_the_spool(clock: Clock) -> None:
    service = places(clock, per_device=4)
    replays = [service.take("kitchen", replayed=True) for _ in range(2)]
    assert refused(lambda: service.take("kitchen", replayed=True)) == (
        "2 utterances of this device from the spool are in work."
    )
    live = [service.take("kitchen", replayed=False) for _ in range(2)]
    assert refused(lambda: service.take("kitchen", replayed=False)) == "4 utterances of this device are in work."
    for place in (*replays, *live):
        with place:
            pass
    with service.take("kitchen", replayed=True):
        pass


def test_the_last_free_place_is_for_who_has_none(clock: Clock) -> None:
    service = places(clock, streams_max=3, per_device=4)
    first, second = (service.take("kitchen", replayed=False) for _ in range(2))
    sentence = "The last free place is for live speech of a device that has none."
    assert refused(lambda: service.take("kitchen", replayed=False)) == sentence
    assert refused(lambda: service.take("garage", replayed=True)) == sentence
    with service.take("garage", replayed=False):
        assert refused(lambda: service.take("cellar", replayed=False)) == "3 utterances are in work."
    with first, second:
        pass
    with service.take("kitchen", replayed=True):
        pass


def test_a_service_with_one_place_gives_it_to_whoever_comes(clock: Clock) -> None:
    with places(clock, streams_max=1).take("kitchen", replayed=True):
        pass


def test_a_place_that_was_refused_is_not_taken(clock: Clock) -> None:
    service = places(clock, per_device=1)
    with service.take("kitchen", replayed=False):
        for _ in range(3):
            refused(lambda: service.take("kitchen", replayed=False))
    with service.take("kitchen", replayed=False):
        pass


def test_boards_that_were_quiet_are_forgotten_and_made_up_ones_are_bounded(clock: Clock) -> None:
    service = places(clock)
    for number in range(DEVICES_MAX + 10):
        service.knock(f"board-{number}", replayed=False)
    assert len(service._spent) == DEVICES_MAX
    clock.now_s += 61.0
    service.knock("kitchen", replayed=False)
    assert list(service._spent) == ["kitchen"]
    service.knock("garage", replayed=False)
    clock.now_s += 40.0
    service.knock("kitchen", replayed=False)
    clock.now_s += 40.0
    service.knock("cellar", replayed=False)
    assert list(service._spent) == ["kitchen", "cellar"]


def test_boards_are_told_what_they_may(clock: Clock) -> None:
    told = speech_pb2.Limits()
    places(clock, per_device=4, replay_share_max=0.1, megabytes_per_minute_max=2).describe(told)
    assert (told.streams_per_device_max, told.replays_per_device_max) == (4, 1)
    assert (told.utterances_per_minute_max, told.bytes_per_minute_max) == (600, 2_000_000)
