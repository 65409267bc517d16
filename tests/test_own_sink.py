"""What the board does by itself, asked for as services and its own model ask for it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from common.errors import ActionError
from edge.actions.action import Action
from edge.actions.lists import Lists
from edge.actions.own_sink import OwnSink
from edge.actions.timekeeper import Timekeeper
from edge.actions.timers import Timers
from tests.test_timers import Time

CATALOGUE = Path(__file__).parent.parent / "cloud" / "domains" / "home" / "catalogue.jsonl"


class Home:
    """A board's own sink, and what it has said."""

    def __init__(self, folder: Path) -> None:
        self.time = Time()
        self.said: list[str] = []
        self.rang = False
        self.keeper = Timekeeper(Timers(folder / "timers.json", "boot", self.time.clock), lambda: None, lambda: None)
        self.lists = Lists(folder / "lists.json")
        self.sink = OwnSink(self.keeper, self.lists, lambda action, sentence: self.said.append(sentence))

    def asked(self, name: str, transcript: str = "", **more: Any) -> str:
        """What it says to it."""
        self.sink.run(Action("u", "board", name, 0, transcript=transcript, **more), 60.0)
        return self.said[-1]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    yield Home(tmp_path)


@pytest.mark.parametrize(
    ("action", "seconds"),
    [
        ({"values": {"minutes": "10"}}, 600),
        ({"values": {"hours": "1", "minutes": "30"}, "slots": {"hours": "an"}}, 5400),
        ({"transcript": "set a timer for eleven minutes", "data": {"minutes": 10}}, 660),
        ({"transcript": "ten minute timer"}, 600),
        ({"transcript": "egg timer", "data": {"minutes": 5}}, 300),
    ],
    ids=["understood", "two slots", "said, and something near found", "by the board's own model", "found"],
)
def test_a_timer_lasts_as_long_as_was_understood_said_or_found(home: Home, action: Any, seconds: int) -> None:
    home.asked("timer.start", **action)
    assert [timer.lasts_s for timer, _ in home.keeper.left()] == [seconds]


def test_what_the_domain_answers_is_said_and_otherwise_what_was_done(home: Home) -> None:
    assert home.asked("timer.start", values={"minutes": "10"}, response="A timer for ten minutes.") == (
        "A timer for ten minutes."
    )
    assert home.asked("timer.start", values={"seconds": "90"}) == "Timer for 1 minute 30 seconds."


def test_without_a_length_it_asks_and_starts_none(home: Home) -> None:
    for name in ("timer.start", "timer.ask"):
        assert home.asked(name, "set a timer").startswith("For how long?")
    assert home.keeper.left() == []


def test_what_is_left_is_told_and_what_is_stopped(home: Home) -> None:
    assert home.asked("timer.left") == "No timer is running."
    assert home.asked("timer.stop") == "There is no such timer."
    home.asked("timer.start", values={"minutes": "10"})
    home.time.passes(90)
    assert home.asked("timer.left") == "8 minutes 30 seconds left."
    home.asked("timer.start", values={"minutes": "25"})
    assert home.asked("timer.left") == "8 minutes 30 seconds left of 10 minutes. 25 minutes left of 25 minutes."
    assert home.asked("timer.stop", "cancel the ten minute timer") == "The timer for 10 minutes is cancelled."
    assert home.asked("timer.stop", "cancel the timer") == "The timer for 25 minutes is cancelled."


def test_all_timers_are_stopped_where_all_was_said(home: Home) -> None:
    for minutes in ("10", "25"):
        home.asked("timer.start", values={"minutes": minutes})
    assert home.asked("timer.stop", "Cancel all timers") == "All timers are cancelled."
    assert home.keeper.left() == []


def test_a_word_that_ends_a_ring_ends_no_timer_and_says_nothing(home: Home) -> None:
    home.asked("timer.start", values={"minutes": "10"})
    said = len(home.said)
    home.asked("ring.stop", "stop")
    assert len(home.said) == said
    assert len(home.keeper.left()) == 1


def test_a_length_that_is_none_is_refused_with_a_sentence_that_is_said(home: Home) -> None:
    with pytest.raises(ActionError, match="from 1 second to 7 days"):
        home.asked("timer.start", values={"hours": "1000"})
    assert home.said == ["A timer lasts from 1 second to 7 days."]


@pytest.mark.parametrize(
    ("transcript", "item"),
    [
        ("add milk to the shopping list", "milk"),
        ("Put two loaves of bread on my list, please.", "two loaves of bread"),
        ("put dark bread on the shopping list", "dark bread"),
        ("we need to buy milk", "milk"),
        ("buy bread", "bread"),
        ("add eggs to the list", "eggs"),
        ("please add salt to our grocery list please", "salt"),
    ],
)
def test_what_is_to_be_added_is_found_in_what_was_said(home: Home, transcript: str, item: str) -> None:
    home.asked("list.add", transcript, data={"list": "shopping"})
    assert home.lists.items("shopping") == [item]


def test_lists_are_added_to_shown_and_cleared(home: Home) -> None:
    assert home.asked("list.show") == "The shopping list is empty."
    assert home.asked("list.add", values={"item": "milk"}) == "milk is on the shopping list."
    assert home.asked("list.add", values={"item": "milk"}) == "milk is on the shopping list already."
    assert home.asked("list.add", values={"item": "bread"}, response="Bread it is.") == "Bread it is."
    assert home.asked("list.add", values={"item": "homework", "list": "Todo"}) == "homework is on the todo list."
    assert home.asked("list.show", data={"list": "shopping"}) == "On the shopping list: milk, bread."
    assert home.asked("list.show", data={"list": "todo"}) == "On the todo list: homework."
    assert home.asked("list.add", "add something to the list").startswith("What shall be added?")
    assert home.asked("list.add", "the list").startswith("What shall be added?")
    assert home.asked("list.clear") == "The shopping list is empty now."
    assert home.asked("list.clear") == "The shopping list was empty."


def test_a_long_list_is_not_read_to_its_end(home: Home) -> None:
    for number in range(13):
        home.lists.add("shopping", f"thing {number}")
    assert home.asked("list.show").endswith("thing 9, and 3 more.")


def test_what_can_be_said_is_what_the_domain_says(home: Home) -> None:
    assert home.asked("help.show", response="Ask for a timer.") == "Ask for a timer."
    with pytest.raises(ActionError):
        home.asked("help.show")


def test_it_does_what_the_home_domain_asks_for_and_leaves_the_rest_to_others(home: Home) -> None:
    entries = [json.loads(line) for line in CATALOGUE.read_text(encoding="utf-8").splitlines()]
    wanted = [entry for entry in entries if home.sink.wants(entry.get("action", ""))]
    assert {entry["action"] for entry in wanted} >= {"timer.start", "timer.stop", "timer.left", "list.add", "list.show"}
    assert not home.sink.wants("light.on")
    assert not home.sink.wants("")
    for entry in wanted:
        assert home.sink.preview(Action("u", "b", entry["action"], 0)) == f"does {entry['action']} on the board itself"
        home.asked(entry["action"], entry["title"], data=entry.get("data", {}))
    assert len(home.keeper.left()) > 20
