"""What a page shows of other boards, with two daemons, or phones without a board, at one service."""

import queue
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from benchmarks.made_board import MadeBoard
from edge.asking.answer import Answer, Twin
from edge.asking.group_watch import Other
from edge.asking.services import chain_of
from edge.page.audience import Place, Told
from edge.page.others import KEPT, LEFT_S_MAX, Others
from edge.page.page import Page
from edge.page.stream import Seen
from edge.sound.source import Block
from tests.conftest import Speech
from tests.edge_fakes import ANSWER
from tests.group_service import HOME, GroupService, group_service
from tests.page_phone import PATIENCE_S, Looking, Phone
from tests.test_page import Daemon
from tests.test_visitors import served, settings, spoken


class Board(Daemon):
    """A daemon at a real service."""

    def __init__(self, directory: Path, name: str, address: str, blocks: list[Block]) -> None:
        super().__init__(directory, blocks, chain_of, {"device.id": name, "cloud.address": address})


@contextmanager
def boards(
    directory: Path, monkeypatch: pytest.MonkeyPatch, service: GroupService, speech: Speech, *names: str
) -> Iterator[list[tuple[Board, Phone]]]:
    """Daemons, each with a phone that is paired with it."""
    pages: queue.Queue[Page] = queue.Queue()
    enter = Page.__enter__

    def entered(page: Page) -> Page:
        pages.put(enter(page))
        return page

    monkeypatch.setattr(Page, "__enter__", entered)
    with ExitStack() as stack:
        running = []
        for name in names:
            (directory / name).mkdir()
            board = Board(directory / name, name, service.address, spoken(speech))
            board._thread.start()
            stack.callback(board._thread.join, PATIENCE_S)
            stack.callback(board._stop.put, 15)
            running.append((board, Phone(pages.get(timeout=PATIENCE_S))))
        yield running


def answers(looking: Looking, count: int) -> list[dict[str, Any]]:
    """So many, each with the number it is kept by; what the board did of it is told besides."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        card, number = looking.next("answer")
        if card["kind"] != "done" and (number is not None or card.get("board")):
            found.append(card)
    return found


def test_what_two_boards_hear_is_done_by_one_and_both_pages_show_both(
    tmp_path: Path, speech: Speech, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        group_service(tmp_path / "service", with_engine=True) as service,
        boards(tmp_path, monkeypatch, service, speech, "kitchen", "hall") as running,
    ):
        phones = [phone.look() for _, phone in running]
        for looking in phones:
            assert looking.next("others")[0]["sentence"] is None
        for board, _ in running:
            board.ear.begin.set()
        shown = [answers(looking, 2) for looking in phones]
        own = [next(card for card in cards if "board" not in card) for cards in shown]
        others = [next(card for card in cards if "board" in card) for cards in shown]
        assert [card["board"] for card in others] == ["hall", "kitchen"]
        assert [card["utterance_id"] for card in others] == [card["utterance_id"] for card in reversed(own)]
        assert [card["transcript"] for card in own] == ["set a timer for ten minutes"] * 2
        # What was measured went over the wire as a float of 32 bits.
        assert [card["snr_db"] for card in reversed(others)] == [pytest.approx(card["snr_db"], 1e-3) for card in own]
        assert all(card["snr_db"] > 0 for card in own)
        # The one that is no twin was answered first, and runs the timer.
        first = 0 if own[0]["twin_of"] is None else 1
        assert own[1 - first]["twin_of"] == own[first]["utterance_id"]
        assert own[1 - first]["twin_board"] == ("kitchen", "hall")[first]
        assert others[first]["twin_of"] == own[first]["utterance_id"]
        assert others[1 - first]["twin_of"] is None
        for number, looking in enumerate(phones):
            state = looking.next("state")[0]
            while number == first and not state["timers"]:
                state = looking.next("state")[0]
            assert bool(state["timers"]) is (number == first)
            looking.close()


def test_the_service_goes_and_comes_and_a_page_misses_nothing_and_is_told_nothing_twice(
    tmp_path: Path, speech: Speech, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.asking.group_watch.PAUSE_S_MAX", 0.2)
    monkeypatch.setattr("edge.asking.link.PROBE_S", (0.05, 0.1))
    folder, port, wanted = tmp_path / "service", 0, []
    with ExitStack() as stack:
        looking, history = None, ""
        for part in range(3):
            with group_service(folder, with_engine=True, port=port) as service:
                if looking is None:
                    port = int(service.address.rpartition(":")[2])
                    [(_, phone)] = stack.enter_context(boards(tmp_path, monkeypatch, service, speech, "kitchen"))
                    looking = phone.look()
                here = [f"u{part}-{number}" for number in range(20)]
                for utterance in here:
                    service.answer("hall", utterance, utterance)
                wanted += here
                # After a start it is another history, of which all that is left is told.
                told, history = until(looking, wanted[-1], history)
                assert told == wanted
            assert "127.0.0.1" in looking.next("others")[0]["sentence"]
        assert looking is not None
        looking.close()
        # A phone that was asleep is told the rest alone.
        with group_service(folder, with_engine=True, port=port) as service:
            first, before = phone.look(), history
            while history == before:
                _, history = until(first, wanted[-1], before)
            first.close()
            service.answer("hall", "last", "the last")
            again = phone.look(f"?others={history}.{len(wanted)}")
            assert until(again, "last", history) == (["last"], history)
            again.close()


def until(looking: Looking, utterance_id: str, history: str) -> tuple[list[str], str]:
    """What is told of others in the history that counts in the end, up to this one; and that history."""
    told: list[str] = []
    while told[-1:] != [utterance_id]:
        kind, data, _ = looking.items.get(timeout=PATIENCE_S)
        if kind == "others" and data["history"] and data["history"] != history:
            history, told = data["history"], []
        elif kind == "answer":
            told.append(data["utterance_id"])
    return told, history


def test_phones_without_a_board_are_strangers_until_a_group_has_their_machine(tmp_path: Path, speech: Speech) -> None:
    for groups, is_told in (((HOME,), True), ((), False)):
        folder = tmp_path / str(is_told)
        with (
            group_service(folder / "service", groups, with_engine=True) as service,
            served(settings(folder, cloud__address=service.address)) as page,
        ):
            ada, bert = Phone(page), Phone(page)
            looking, other = ada.look(), bert.look()
            other.next("others" if is_told else "hello")
            ada.say(spoken(speech))
            [own] = answers(looking, 1)
            assert own["by"] == ada.id
            if is_told:
                [card] = answers(other, 1)
                assert (card["board"], card["utterance_id"]) == (f"desk.phone-{ada.id}", own["utterance_id"])
                # Only what was said into it is its own.
                assert bert.ask("/answers")[1]["answers"] == []
            else:
                assert not {"answer", "others"} & {kind for kind, _, _ in other.items.queue}
            looking.close()
            other.close()


def other(number: int, utterance_id: str | None = None, answer: Answer = ANSWER) -> Other:
    return Other(number, "hall", utterance_id or f"u{number}", 2_000_000, 1_000_000, 12.0, answer)


class Scene:
    """Others whose service is the test."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.begun = self.ended = 0
        self.now_s = 0.0
        self.others = Others(self._watch, self.told.append, lambda do, *given: do(*given), lambda: self.now_s)

    def _watch(self, watcher: Any) -> Any:
        assert watcher is self.others
        self.begun += 1

        def end() -> None:
            self.ended += 1

        return end


def test_the_service_is_asked_while_somebody_looks_and_a_while_after_and_then_nothing_is_kept() -> None:
    scene = Scene()
    scene.others.look(is_watched=False)
    assert scene.begun == 0
    scene.others.look(is_watched=True)
    scene.others.look(is_watched=True)
    scene.others.watching("a", is_anew=True)
    scene.others.other(other(1))
    scene.now_s = LEFT_S_MAX - 1
    scene.others.look(is_watched=False)
    assert (scene.begun, scene.ended) == (1, 0)
    assert len(scene.others.since(None)) == 2
    scene.now_s = LEFT_S_MAX
    scene.others.look(is_watched=False)
    assert (scene.begun, scene.ended) == (1, 1)
    assert scene.others.since(None) == []
    # What was under way when it ended is nobody's.
    scene.others.other(other(2))
    assert len(scene.told) == 2


def test_who_comes_back_is_told_what_is_new_and_everything_of_another_history() -> None:
    scene = Scene()
    scene.others.look(is_watched=True)
    scene.others.watching("a", is_anew=True)
    for number in range(1, KEPT + 11):
        scene.others.other(other(number))

    def numbers(known: Place | None) -> list[int]:
        state, *items = scene.others.since(known)
        assert state.kind == "others"
        return [item.place.number for item in items if item.place]

    assert numbers(None) == list(range(11, KEPT + 11))
    assert numbers(Place("a", KEPT + 5)) == list(range(KEPT + 6, KEPT + 11))
    assert numbers(Place("b", KEPT + 5)) == numbers(None)
    scene.others.watching("b", is_anew=True)
    assert numbers(Place("a", KEPT + 5)) == []
    scene.others.other(other(3))
    assert numbers(Place("a", KEPT + 5)) == [3]


def test_why_nothing_of_others_comes_is_said_once_and_that_it_comes_again() -> None:
    scene = Scene()
    scene.others.look(is_watched=True)
    for why in ("The service is away.", "The service is away.", None):
        scene.others.not_watching(why)
    scene.others.watching("a", is_anew=True)
    told = [item.data for item in scene.told]
    assert told == [
        '{"history":null,"sentence":"The service is away."}',
        '{"history":null,"sentence":null}',
        '{"history":"a","sentence":null}',
    ]


@pytest.mark.parametrize(("best", "shown"), [(None, "hall"), ("kitchen", "kitchen")])
def test_another_board_s_twin_says_who_heard_best(best: str | None, shown: str) -> None:
    scene = Scene()
    scene.others.look(is_watched=True)
    scene.others.watching("a", is_anew=True)
    scene.others.other(other(1, answer=msgspec.structs.replace(ANSWER, twin=Twin("kitchen", "u9", best))))
    card = msgspec.json.decode(scene.told[-1].data)
    assert (card["twin_of"], card["twin_board"], card["heard_best"]) == ("u9", "kitchen", shown)


def test_a_phone_that_comes_back_is_told_of_others_what_it_has_not_seen(tmp_path: Path) -> None:
    def told(query: str, *, is_known_before: bool) -> list[str]:
        folder = tmp_path / f"{is_known_before}{query[-3:]}"
        folder.mkdir()
        with MadeBoard(folder) as board:
            phone = Phone(board.page)
            looking = phone.look("" if is_known_before else query)
            until_s = time.monotonic() + PATIENCE_S
            while board.watcher is None and time.monotonic() < until_s:
                time.sleep(0.005)
            assert board.watcher is not None
            board.watcher.watching("a", is_anew=True)
            for number in (1, 2, 3):
                board.watcher.other(other(number))
            if is_known_before:
                until(looking, "u3", "")
                looking.close()
                looking = phone.look(query)
            found, history = until(looking, "u3", "")
            assert history == "a"
            looking.close()
            return found

    for is_known_before in (True, False):
        assert told("?others=a.2", is_known_before=is_known_before) == ["u3"]
        assert told("?others=b.2", is_known_before=is_known_before) == ["u1", "u2", "u3"]


def test_what_was_seen_is_not_told_again() -> None:
    seen = Seen(5, Place("a", 2))
    own = [seen.is_new(Told("answer", "", number)) for number in (4, 5, 6, 6, None)]
    assert own == [False, False, True, False, True]
    others = [("a", 0), ("a", 2), ("a", 3), ("a", 3), ("b", 0), ("b", 1), ("b", 0), ("b", 1)]
    assert [seen.is_new(Told("answer", "", place=Place(*place))) for place in others] == [
        True,
        False,
        True,
        False,
        True,
        True,
        True,
        False,
    ]
