"""How often who may."""

from common import rates
from common.rates import FORGIVEN_S, WAIT_S, WAIT_S_MAX, Guesses, Rate, Rates


class Clock:
    def __init__(self) -> None:
        self.s = 1000.0

    def __call__(self) -> float:
        return self.s


def test_a_burst_at_once_and_then_so_many_a_second() -> None:
    clock = Clock()
    each = Rates(Rate(3, 0.5), monotonic_s=clock)
    assert [each.wait_s("a") for _ in range(5)] == [0, 0, 0, 2, 2]
    assert each.wait_s("b") == 0
    clock.s += 1
    assert each.wait_s("a") == 1
    clock.s += 1
    assert [each.wait_s("a") for _ in range(2)] == [0, 2]
    clock.s += 1e6
    assert [each.wait_s("a") for _ in range(4)] == [0, 0, 0, 2]


def test_all_together_have_a_rate_too_and_who_is_refused_takes_nothing_of_it() -> None:
    clock = Clock()
    each = Rates(Rate(2, 1), Rate(3, 0.25), clock)
    assert [each.wait_s("a") for _ in range(3)] == [0, 0, 1]
    assert [each.wait_s(peer) for peer in "bcd"] == [0, 4, 4]


def test_of_many_addresses_the_newest_are_remembered() -> None:
    each = Rates(Rate(1, 0.001), monotonic_s=Clock())
    for number in range(rates.PEERS_MAX + 1):
        assert each.wait_s(str(number)) == 0
    assert each.wait_s(str(rates.PEERS_MAX)) > 0
    assert each.wait_s("0") == 0
    assert len(each._peers._peers) == rates.PEERS_MAX


def test_a_few_wrong_guesses_in_a_minute_are_free_and_slow_ones_always() -> None:
    clock = Clock()
    guesses = Guesses(clock)
    for _ in range(50):
        assert guesses.wait_s("a") == 0
        guesses.wrong("a")
        clock.s += WAIT_S / 4 + 1
    for _ in range(4):
        guesses.wrong("b")
    assert guesses.wait_s("b") == 0


def test_each_further_one_waits_twice_as_long_up_to_an_hour() -> None:
    clock, waits = Clock(), []
    guesses = Guesses(clock)
    for _ in range(5):
        guesses.wrong("a")
    for _ in range(9):
        waits.append(guesses.wait_s("a"))
        clock.s += waits[-1]
        assert guesses.wait_s("a") == 0
        guesses.wrong("a")
    assert waits == [60, 120, 240, 480, 960, 1920, WAIT_S_MAX, WAIT_S_MAX, WAIT_S_MAX]
    clock.s += guesses.wait_s("a") + FORGIVEN_S + 1
    guesses.wrong("a")
    assert guesses.wait_s("a") == 0


def test_many_addresses_together_wait_too() -> None:
    clock = Clock()
    guesses = Guesses(clock)
    for number in range(20):
        assert guesses.wait_s(f"a{number}") == 0
        guesses.wrong(f"a{number}")
    assert guesses.wait_s("who never guessed") == WAIT_S
