"""Versions of the board's own model: fetched, tried, promoted, and sent back when they are worse or break."""

import asyncio
import itertools
import random
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from click.testing import CliRunner

from benchmarks import chaos_models, path
from cloud.changing.board_operations import BoardOperations
from cloud.log.answer_log import FILE_NAME
from cloud.settings import CloudSettings, Storage
from common.errors import ModelError
from common.settings import load
from edge.__main__ import main
from edge.asking import own_model
from edge.asking.answer import Answer, Result
from edge.asking.cloud_channel import CallFailed, Trouble
from edge.asking.link import Link
from edge.asking.recogniser import Listener
from edge.asking.services import whole_chain_of
from edge.local.interpreter import Interpreter
from edge.models import STATE_FILE, listening, self_test, trial, updating
from edge.models.listening import DiedError, listen
from edge.models.self_test import faults
from edge.models.serving import serving
from edge.models.state import DEATHS_MAX, Held, State
from edge.models.store import Offer, Store, UnfitError
from edge.models.tap import Tap
from edge.models.trial import COMMANDS_MIN, LOOKS, Said, Trial, agrees
from edge.models.updating import Updating, offer_of
from edge.models.utterances import HeardOf, Utterance, Utterances
from edge.settings import EdgeSettings
from protos import speech_pb2
from protos.feature_spec import DEFAULT_SPEC
from protos.model_card import CARD_FILE, MODEL_FILE, read_model_card
from protos.model_package import PIECE_BYTES_MAX, read_package
from tests.board_models import version
from tests.conftest import Speech
from tests.edge_fakes import ANSWER
from tests.test_chain import Outcome
from tests.test_daemon import Endless, Running, spoken
from tests.test_own_model import Board
from tests.test_own_model import spoken as said_frames
from tests.tones import MODELS, NO, SILENCE, TONES, UNKNOWN, YES, heard

WAIT_S = 60.0
AWAY = CallFailed("the service is away.", Trouble.AWAY)
CARD = read_model_card(TONES / CARD_FILE)

TIMER = '{"id": "timer-10-minutes", "title": "Timer", "aliases": ["set a timer for ten minutes"]}\n'

FIRST, SECOND, THIRD = (Held("tones", number, number * 64) for number in "123")


# ---- what becomes of a version


def test_a_candidate_s_way_and_back() -> None:
    state = State(shipped="0").begun("0", 1).fetched(FIRST, 2)
    assert (state.current, state.candidate, state.is_tested) == (None, FIRST, False)
    state = state.tested(3, "good").tried(Trial(utterances=9)).promoted(4, "better")
    assert (state.current, state.previous, state.candidate, state.kept) == (FIRST, None, None, (FIRST,))
    state = state.fetched(SECOND, 5)
    assert (state.trial, state.kept) == (Trial(), (FIRST, SECOND))
    state = state.promoted(6, "better")
    assert (state.current, state.previous) == (SECOND, FIRST)
    state = state.fetched(THIRD, 7)
    assert state.kept == (SECOND, THIRD), "two slots"
    state = state.takes_back(8, "worse")
    assert (state.current, state.candidate, state.wants(THIRD.sha256)) == (SECOND, None, False)
    state = state.takes_back(9, "worse too")
    assert (state.current, state.wants(SECOND.sha256)) == (None, False)
    assert state.takes_back(10, "nothing left") == state
    assert [line.what for line in state.history] == [
        *("fetched", "tested", "promoted", "fetched", "promoted", "fetched", "refused", "returned")
    ]
    assert state.again(11, "another try").wants(SECOND.sha256)
    assert not state.again(11, "another try").pinned(12, "stay", pinned=True).wants(SECOND.sha256)


def test_whoever_dies_twice_of_a_model_does_not_run_it_a_third_time() -> None:
    state = State(shipped="0").fetched(FIRST, 1)
    for death in range(1, DEATHS_MAX):
        state = state.enters(FIRST.sha256).begun("0", 2)
        assert (state.candidate, state.deaths) == (FIRST, death)
        assert state.begun("0", 2) == state, "nobody ran it since"
    survived = state.enters(FIRST.sha256).left()
    assert survived.begun("0", 3) == survived
    assert survived.deaths == 0
    state = state.enters(FIRST.sha256).begun("0", 3)
    assert state.candidate is None
    assert state.history[-1].why.startswith("Tried, not survived")
    state = State(shipped="0").fetched(FIRST, 1).promoted(2, "good").fetched(SECOND, 3).promoted(4, "good")
    for _ in range(DEATHS_MAX):
        state = state.enters(SECOND.sha256).begun("0", 5)
    assert (state.current, state.wants(SECOND.sha256)) == (FIRST, False)


def test_another_program_brings_its_own_model() -> None:
    state = State().begun("0", 1).fetched(FIRST, 2).promoted(3, "good").pinned(4, "stay", pinned=True)
    after = state.begun("9", 5)
    assert (after.current, after.shipped, after.is_pinned) == (None, "9", True)
    assert len(after.history) == len(state.history) + 1


def test_what_the_service_withdraws_goes_and_may_come_again() -> None:
    state = State(shipped="0").fetched(FIRST, 1).promoted(2, "good").fetched(SECOND, 3)
    assert state.withdrawn(frozenset({SECOND.sha256}), 4).candidate is None
    after = state.withdrawn(frozenset({FIRST.sha256}), 4)
    assert (after.current, after.candidate) == (None, SECOND)
    assert after.wants(FIRST.sha256)
    both = state.promoted(4, "good").withdrawn(frozenset({FIRST.sha256, SECOND.sha256}), 5)
    assert both.current is None


# ---- how it does beside the model before


def counted(pairs: Sequence[tuple[bool, bool]], *, commands: bool = True) -> Trial:
    """Whether the candidate agreed, and the model before, until something is decided."""
    done = Trial()
    for after, before in pairs:
        done = done.after(is_command=commands, agrees=after, agreed_before=before)
        if done.decision != "wait":
            break
    return done


def test_one_that_is_as_good_is_promoted_at_the_first_look() -> None:
    done = counted([(True, True)] * 500)
    assert (done.decision, done.utterances) == ("promote", LOOKS[0])


def test_one_that_is_worse_is_refused_early_and_one_that_is_a_little_worse_at_the_last_look() -> None:
    assert counted([(False, True)] * 20).utterances == 7
    slightly = [(number % 20 != 3, number % 25 != 7) for number in range(500)]
    done = counted(slightly)
    assert (done.decision, done.utterances) == ("refuse", LOOKS[-1])


def test_talk_that_is_no_command_promotes_nothing() -> None:
    done = counted([(True, True)] * 500, commands=False)
    assert (done.decision, done.utterances) == ("wait", 500)
    for _ in range(COMMANDS_MIN):
        done = done.after(is_command=True, agrees=True, agreed_before=True)
    assert done.decision == "promote"


def test_evidence_passes_its_bound_for_an_equal_one_as_rarely_as_it_says() -> None:
    draw, passed = random.Random(5), 0
    for _ in range(2000):
        done = Trial()
        for _ in range(60):
            better = draw.random() < 0.5
            done = done.after(is_command=True, agrees=better, agreed_before=not better)
            if done.evidence >= trial.E_MAX:
                passed += 1
                break
    assert passed / 2000 <= 1 / trial.E_MAX


def test_agreement_is_of_what_is_meant() -> None:
    commands = list(CARD.commands.values())
    label = next(iter(CARD.commands))
    command = CARD.commands[label]
    assert agrees(label, CARD, Said(f"{command.text.upper()}!", None), commands)
    assert agrees(label, CARD, Said("in other words", command.id), commands) == (command.id is not None)
    assert not agrees(label, CARD, Said("something else", None), commands)
    assert agrees(None, CARD, Said("something else", None), commands)
    assert not agrees(None, CARD, Said(command.text, None), commands)


def test_the_self_test_tells_what_is_wrong() -> None:
    label = next(iter(CARD.commands))
    text = CARD.commands[label].text
    right = [HeardOf(label, 1, text)] * 10 + [HeardOf(None, 1, "")] * 5
    assert faults(CARD, right, CARD, right) == []
    deaf = [HeardOf(None, 1, one.text) for one in right]
    hasty = [HeardOf(label, 1, one.text) for one in right]
    slow = [HeardOf(one.label, 5000, one.text) for one in right]
    told = [faults(CARD, one, CARD, right) for one in (deaf, hasty, slow)]
    assert [len(one) for one in told] == [1, 1, 1]
    assert [one[0].split(" ")[1] for one in told] == ["10", "hears", "takes"]


# ---- on the disk


def offer(folder: Path) -> Offer:
    package = read_package(folder)
    held = Held(package.card.name, package.card.version, package.sha256)
    return Offer(held, len(package.content), len(package.card_content))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "models" / "tones", TONES, lambda: 5)
    made.begin()
    return made


def fetched(store: Store, folder: Path, *, until: int | None = None) -> Offer:
    """All of it, or so many bytes."""
    wanted, content = offer(folder), read_package(folder).content[:until]
    at = store.offset(wanted)
    while at < len(content):
        at = store.append(wanted, at, content[at : at + 10_000])
    return wanted


def left(store: Store) -> set[str]:
    return {path.name for path in store.folder(Held("", "", "")).parent.iterdir()}


def test_what_was_fetched_in_parts_is_a_model_in_a_folder(tmp_path: Path, store: Store) -> None:
    folder = version(tmp_path, "2", padding=20_000)
    wanted = fetched(store, folder, until=12_345)
    again = Store(tmp_path / "models" / "tones", TONES)
    again.begin()
    assert again.offset(wanted) == 12_345
    fetched(again, folder)
    state = again.take(wanted, DEFAULT_SPEC)
    assert state.candidate == wanted.held
    assert read_package(again.folder(wanted.held)).sha256 == wanted.held.sha256
    assert left(again) == {"lock", STATE_FILE, wanted.held.folder}


def test_what_came_otherwise_than_it_was_offered_is_thrown_away(tmp_path: Path, store: Store) -> None:
    wanted = offer(version(tmp_path, "2"))
    store.append(wanted, 0, bytes(wanted.bytes_count))
    with pytest.raises(ModelError, match="another hash"):
        store.take(wanted, DEFAULT_SPEC)
    assert store.offset(wanted) == 0
    with pytest.raises(ModelError, match="does not follow on"):
        store.append(wanted, 5, b"x")
    with pytest.raises(ModelError, match="does not follow on"):
        store.append(wanted, 0, bytes(wanted.bytes_count + 1))
    assert store.read().candidate is None


def test_what_came_whole_and_is_none_for_this_board_is_refused(tmp_path: Path, store: Store) -> None:
    wanted = fetched(store, version(tmp_path, "2", feature_spec_fingerprint="logmel0"))
    with pytest.raises(UnfitError, match="trained on features logmel0"):
        store.take(wanted, DEFAULT_SPEC)
    named = fetched(store, version(tmp_path, "3"))
    other = named._replace(held=msgspec.structs.replace(named.held, version="4"))
    with pytest.raises(UnfitError, match="its card is that of tones 3"):
        store.take(other, DEFAULT_SPEC)


def test_a_damaged_folder_makes_room_for_the_model_before_and_may_be_fetched_again(
    tmp_path: Path, store: Store
) -> None:
    wanted = fetched(store, version(tmp_path, "2"))
    store.take(wanted, DEFAULT_SPEC)
    store.change(lambda state, at: state.promoted(at, "good"))
    assert store.folder(store.read().current) == store.folder(wanted.held)
    (store.folder(wanted.held) / MODEL_FILE).write_bytes(b"rot")
    state = store.begin()
    assert (state.current, state.wants(wanted.held.sha256)) == (None, True)
    assert left(store) == {"lock", STATE_FILE}


def test_a_state_that_cannot_be_read_is_none(store: Store) -> None:
    (store.folder(Held("", "", "")).parent / STATE_FILE).write_bytes(b"{")
    assert store.read() == State()
    assert store.begin().shipped == read_package(TONES).sha256


def test_changes_of_several_processes_wait_for_one_another(tmp_path: Path, store: Store) -> None:
    def many() -> None:
        mine = Store(tmp_path / "models" / "tones", TONES)
        for _ in range(10):
            mine.change(lambda state, at: state.pinned(at, "", pinned=True))

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.read().history) == 40


# ---- heard in a process of its own


def sounds(*kinds: tuple[int, int, int]) -> tuple[Utterance, ...]:
    return tuple(Utterance(heard((SILENCE, 20), (kind, 110)).tobytes(), 900) for kind in kinds)


def test_a_model_hears_in_a_process_of_its_own() -> None:
    told = asyncio.run(listen(TONES, Utterances(DEFAULT_SPEC.levels, sounds(YES, NO, UNKNOWN))))
    assert [one.label for one in told] == ["yes", "no", None]
    clips = asyncio.run(listen(TONES, Utterances(DEFAULT_SPEC.levels)))
    assert len(clips) > 20
    assert "lights on" in [one.text for one in clips]


def test_the_shipped_model_passes_by_the_clips_that_come_with_it() -> None:
    home = MODELS.parents[1] / "models" / "files" / "home-v1"
    card = read_model_card(home / CARD_FILE)
    told = asyncio.run(listen(home, Utterances(DEFAULT_SPEC.levels)))
    assert faults(card, told, card, [HeardOf(None, 0, one.text) for one in told]) == []
    right = sum(one.label is not None and card.commands[one.label].text == one.text for one in told)
    assert right >= 17


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import os; os.kill(os.getpid(), 11)", "died of SIGSEGV"),
        ("import time; time.sleep(60)", "took longer than 0.5 s"),
        ("raise MemoryError", "failed: MemoryError"),
    ],
)
def test_who_does_not_live_to_tell_is_missed(monkeypatch: pytest.MonkeyPatch, program: str, words: str) -> None:
    monkeypatch.setattr(listening, "COMMAND", (sys.executable, "-c", program))
    with pytest.raises(DiedError, match=words):
        asyncio.run(listen(TONES, Utterances(12, sounds(YES)), 0.5))


@pytest.mark.parametrize("program", ["print('hello')", "import sys; sys.stdout.buffer.write(b'\\x90')"])
def test_what_cannot_be_read_is_a_fault_of_the_model(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(listening, "COMMAND", (sys.executable, "-c", program))
    with pytest.raises(ModelError, match="who ran it told"):
        asyncio.run(listen(TONES, Utterances(12, sounds(YES))))


def test_a_model_that_is_none_says_so(tmp_path: Path) -> None:
    folder = version(tmp_path, "2")
    (folder / MODEL_FILE).write_bytes(b"none")
    with pytest.raises(ModelError, match="not that of model tones 2"):
        asyncio.run(listen(folder, Utterances(12, sounds(YES))))


# ---- kept up to date


class Cloud:
    """A service that offers what a test says; its link may break, and people may speak."""

    address = "cloud:1"

    def __init__(self, *folders: Path) -> None:
        self.offers = list(folders)
        self.withdrawn: list[str] = []
        self.breaks_after = itertools.repeat(10**9)
        self.speaks_after: Iterator[int] = itertools.repeat(10**9)
        self.offsets: list[int] = []
        self.is_quiet = True
        self.waited = 0

    async def described_anew(self) -> speech_pb2.DescribeResponse:
        models = []
        for folder in self.offers:
            package, wanted = read_package(folder), offer(folder)
            models.append(
                speech_pb2.BoardModel(
                    name=wanted.held.name,
                    version=wanted.held.version,
                    kind=package.card.kind,
                    sha256=wanted.held.sha256,
                    bytes_count=wanted.bytes_count,
                    card_bytes_count=wanted.card_bytes_count,
                    feature_spec_fingerprint=DEFAULT_SPEC.fingerprint,
                )
            )
        return speech_pb2.DescribeResponse(board_models=models, withdrawn_board_models=self.withdrawn)

    async def fetch_model(self, name: str, version: str, offset: int) -> AsyncGenerator[speech_pb2.ModelPiece, None]:
        self.offsets.append(offset)
        folder = next(one for one in self.offers if offer(one).held.version == version)
        content = read_package(folder).content
        breaks, speaks = next(cast(Iterator[int], self.breaks_after)), next(self.speaks_after)
        for number, at in enumerate(range(offset, len(content), PIECE_BYTES_MAX)):
            if number == breaks:
                raise AWAY
            self.is_quiet = number != speaks
            yield speech_pb2.ModelPiece(offset=at, data=content[at : at + PIECE_BYTES_MAX])

    async def quiet(self) -> None:
        self.waited += not self.is_quiet
        self.is_quiet = True


class Own:
    """What answers."""

    def __init__(self) -> None:
        self.guard: Any = None
        self.folders: list[Path] = []

    def follow(self, folder: Path) -> None:
        self.folders.append(folder)


class Kept:
    """Who keeps a board's model up to date, and what it works with."""

    def __init__(self, directory: Path, cloud: Cloud) -> None:
        self.store = Store(directory, TONES)
        self.cloud, self.own = cloud, Own()
        self.link = Link(cast(Any, None))
        cast(Any, self.link).failed = lambda error: None
        self.updating = Updating(lambda: self.store, "tones", DEFAULT_SPEC, cast(Any, cloud), self.link, self.own)

    def run(self, done: Callable[[State], bool]) -> State:
        """Until it is so."""

        async def until() -> None:
            running = asyncio.create_task(self.updating.run())
            try:
                async with asyncio.timeout(WAIT_S):
                    while not done(self.updating.state) and not running.done():
                        await asyncio.sleep(0.01)
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
            assert running.cancelled(), running.exception()

        asyncio.run(until())
        return self.store.read()

    def said(self, kind: tuple[int, int, int], answer: Answer) -> None:
        """An utterance that the cloud answered."""
        tap = self.updating.tap(cast(Listener, Outcome()))
        assert tap is not None
        say(tap, kind, answer)


class Ignored:
    wire_bytes = 0

    def send(self, heard: Any) -> None: ...

    def finish(self, end: Any) -> None: ...


def say(tap: Tap, kind: tuple[int, int, int], answer: Answer) -> None:
    _, frames, end = said_frames(heard((SILENCE, 20), (kind, 110)))
    tap.stream = Ignored()
    tap.send(frames)
    tap.finish(end)
    tap.settle(answer)
    tap.be_left()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("LOOK_S", 0.01), ("FIRST_ASK_S", 0.0), ("ASK_S", 0.05), ("AGAIN_S", 0.01)):
        monkeypatch.setattr(updating, name, seconds)


@pytest.fixture
def slots(tmp_path: Path) -> Path:
    return tmp_path / "models" / "tones"


CLOUD_YES = Answer("cloud", transcript="yes", results=(Result("yes", "Yes", "", 1.0, None, None),))
CLOUD_NO = Answer("cloud", transcript="no")


def is_tested(state: State) -> bool:
    return state.candidate is not None and state.is_tested


def refused(state: State) -> bool:
    return bool(state.history) and state.history[-1].what == "refused"


def test_an_offer_is_fetched_over_a_link_that_breaks_and_people_who_speak_and_tested(
    tmp_path: Path, slots: Path
) -> None:
    cloud = Cloud(version(tmp_path, "2", padding=12 * PIECE_BYTES_MAX))
    cloud.breaks_after, cloud.speaks_after = iter([3, 4, 10**9, 10**9]), iter([9, 9, 2, 10**9])
    kept = Kept(slots, cloud)
    state = kept.run(is_tested)
    assert state.candidate is not None
    assert state.candidate.version == "2"
    # Cut off twice, stood back once: each time it went on where it was.
    assert cloud.offsets == [PIECE_BYTES_MAX * number for number in (0, 3, 7, 10)]
    assert cloud.waited == 1
    assert [line.what for line in state.history] == ["fetched", "tested"]
    assert kept.own.folders == [TONES], "it does not answer yet"


def test_a_candidate_that_agrees_with_the_cloud_is_promoted_and_a_restart_knows_its_trial(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, slots: Path
) -> None:
    monkeypatch.setattr(trial, "LOOKS", (6, 8, 10))
    monkeypatch.setattr(trial, "COMMANDS_MIN", 3)
    cloud = Cloud(version(tmp_path, "2"))
    kept = Kept(slots, cloud)
    kept.run(is_tested)
    for kind, answer in [(YES, CLOUD_YES), (NO, CLOUD_NO), (UNKNOWN, ANSWER), (YES, CLOUD_YES)]:
        kept.said(kind, answer)
    state = kept.run(lambda state: state.trial.utterances == 4)
    assert (state.trial.agreed, state.trial.agreed_before, state.trial.commands) == (4, 4, 3)
    kept = Kept(slots, cloud)
    kept.run(is_tested)
    kept.updating.tap(cast(Listener, Outcome()))
    for _ in range(4):
        kept.said(YES, CLOUD_YES)
    state = kept.run(lambda state: state.current is not None)
    assert state.current is not None
    assert state.history[-1].why.startswith("6 utterances, 5 of them commands: it agreed with the cloud on 6")
    assert kept.own.folders == [TONES, kept.store.folder(state.current)]
    assert kept.updating.tap(cast(Listener, Outcome())) is None, "nobody wants to hear any more"


def test_a_candidate_that_disagrees_is_sent_back_and_not_fetched_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, slots: Path
) -> None:
    """Its labels are the other way round, which the clips do not tell."""
    monkeypatch.setattr(self_test, "FALSE_MORE_MAX", 100)
    labels = list(CARD.labels)
    yes, no = labels.index("yes"), labels.index("no")
    labels[yes], labels[no] = labels[no], labels[yes]
    cloud = Cloud(version(tmp_path, "2", labels=tuple(labels)))
    kept = Kept(slots, cloud)
    kept.run(is_tested)
    for _ in range(8):
        if (tap := kept.updating.tap(cast(Listener, Outcome()))) is not None:
            say(tap, YES, CLOUD_YES)
    state = kept.run(refused)
    assert state.history[-1].why.startswith("Worse: 7 utterances")
    looks = iter(range(30))
    kept.run(lambda state: next(looks, None) is None)
    assert cloud.offsets == [0]
    assert kept.own.folders == [TONES]


def test_answers_of_others_than_the_cloud_say_nothing() -> None:
    taken: list[Said] = []
    tap = Tap(cast(Listener, Outcome()), lambda utterance, said: taken.append(said))
    say(tap, YES, msgspec.structs.replace(CLOUD_YES, path="local"))
    assert taken == []
    say(tap, YES, CLOUD_YES)
    assert taken == [Said("yes", "yes")]


@pytest.mark.parametrize("deaths", [1, 2])
def test_a_model_that_kills_who_runs_it_is_tried_twice_and_the_daemon_lives(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, slots: Path, deaths: int
) -> None:
    count = 0
    usual = listening.COMMAND

    async def dying(folder: Path, asked: Utterances) -> list[HeardOf]:
        nonlocal count
        count += 1
        killer = (sys.executable, "-c", "import os; os.kill(os.getpid(), 6)")
        monkeypatch.setattr(listening, "COMMAND", killer if count <= deaths else usual)
        return await listen(folder, asked)

    monkeypatch.setattr(updating, "listen", dying)
    kept = Kept(slots, Cloud(version(tmp_path, "2")))
    state = kept.run(lambda state: is_tested(state) or refused(state))
    assert (state.candidate is None) == (deaths == DEATHS_MAX)
    if deaths == DEATHS_MAX:
        assert state.history[-1].why == "Tried, not survived: whoever ran it died, 2 times."
        assert not state.wants(offer(kept.cloud.offers[0]).held.sha256)


def test_a_board_that_can_start_nobody_does_not_blame_the_model(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, slots: Path
) -> None:
    kept = Kept(slots, Cloud(version(tmp_path, "2")))
    with monkeypatch.context() as patch:
        patch.setattr(listening, "COMMAND", (str(tmp_path / "nobody"),))
        state = kept.run(lambda state: bool(kept.updating._ailing))
    assert state.candidate is not None
    assert (state.entering, state.deaths) == ("", 0)
    assert "nobody can be started" in kept.updating._ailing
    kept.run(is_tested)


def test_a_withdrawn_model_makes_room_at_once_and_a_pinned_board_fetches_nothing(tmp_path: Path, slots: Path) -> None:
    cloud = Cloud(version(tmp_path, "2"))
    kept = Kept(slots, cloud)
    held = kept.run(is_tested).candidate
    assert held is not None
    kept.store.change(lambda state, at: state.promoted(at, "by hand"))
    kept.run(lambda state: kept.own.folders[-1] == kept.store.folder(held))
    cloud.withdrawn, cloud.offers = [held.sha256], []
    kept.run(lambda state: state.current is None)
    assert kept.own.folders[-1] == TONES
    kept.store.change(lambda state, at: state.pinned(at, "", pinned=True))
    cloud.withdrawn, cloud.offers = [], [version(tmp_path, "3")]
    asked = len(cloud.offsets)
    looks = iter(range(30))
    kept.run(lambda state: next(looks, None) is None)
    assert (len(cloud.offsets), kept.store.read().candidate) == (asked, None)


def test_what_is_none_for_this_board_is_fetched_once(tmp_path: Path, slots: Path) -> None:
    cloud = Cloud(version(tmp_path, "2", feature_spec_fingerprint="logmel0"))
    kept = Kept(slots, cloud)
    state = kept.run(lambda state: bool(state.refused))
    looks = iter(range(30))
    kept.run(lambda state: next(looks, None) is None)
    assert (cloud.offsets, state.candidate) == ([0], None)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "home-v1"},
        {"kind": "wake"},
        {"version": "../2"},
        {"version": "."},
        {"sha256": "/etc"},
        {"bytes_count": 0},
        {"bytes_count": 10**9},
        {"feature_spec_fingerprint": "logmel0"},
    ],
)
def test_offers_that_are_none_for_a_board(changes: dict[str, Any]) -> None:
    fields = {
        "name": "tones",
        "version": "2",
        "kind": "commands",
        "sha256": "0" * 64,
        "bytes_count": 10,
        "card_bytes_count": 5,
        "feature_spec_fingerprint": DEFAULT_SPEC.fingerprint,
    }
    assert offer_of(speech_pb2.BoardModel(**fields), "tones", DEFAULT_SPEC) is not None
    assert offer_of(speech_pb2.BoardModel(**(fields | changes)), "tones", DEFAULT_SPEC) is None


# ---- in the daemon


@pytest.mark.parametrize(
    ("changes", "is_loaded"),
    [({}, True), ({"X_LOCAL_UPDATES": "false"}, False), ({"X_CLOUD_ADDRESS": ""}, False)],
)
def test_a_board_that_keeps_no_versions_does_without_their_memory(
    tmp_path: Path, changes: dict[str, str], is_loaded: bool
) -> None:
    environment = {"X_CLOUD_ADDRESS": "127.0.0.1:1", "X_DEVICE_STATE_DIR": str(tmp_path)} | changes
    code = f"""
import sys
from common.settings import load
from edge.asking.services import whole_chain_of
from edge.settings import EdgeSettings
whole_chain_of(load(EdgeSettings, file=None, environment={environment}, environment_prefix="X", options={{}}))
print(*(name for name in sys.modules if name.startswith("edge.models.")))
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=WAIT_S)
    assert ("edge.models.updating" in told.stdout) == is_loaded
    assert is_loaded or not told.stdout.strip()


def promoted(directory: Path, folder: Path) -> Store:
    """A board whose current model is that one, and has never answered."""
    store = Store(directory, TONES)
    store.begin()
    store.take(fetched(store, folder), DEFAULT_SPEC)
    store.change(lambda state, at: state.promoted(at, "by hand"))
    return store


def test_a_promoted_model_that_cannot_be_used_gives_the_answer_to_the_one_before(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, slots: Path
) -> None:
    store = promoted(slots, version(tmp_path, "2", window_frames=7))
    board = Board()
    kept = Kept(slots, Cloud())
    kept.own = cast(Any, board.own)
    kept.updating._own = board.own
    kept.run(lambda state: board.own.guard is not own_model.nullcontext)
    with board.alone:
        _, outcome = board.say(YES, chain=board.alone)
        answer = outcome.answer
    assert (answer.transcript, answer.model) == ("yes", f"tones {CARD.version}")
    state = store.read()
    assert (state.current, state.history[-1].what) == (None, "returned")
    assert "does not take" in state.history[-1].why


def test_the_first_answer_of_a_promoted_model_is_noted_before_and_after(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, slots: Path
) -> None:
    store = promoted(slots, version(tmp_path, "2"))
    current = store.read().current
    assert current is not None
    board = Board()
    kept = Kept(slots, Cloud())
    kept.updating._own = board.own
    kept.run(lambda state: board.own.guard is not own_model.nullcontext)
    meanwhile: list[str] = []
    usual = Interpreter.run

    def run(self: Interpreter, values: Any) -> Any:
        meanwhile.append(store.read().entering)
        return usual(self, values)

    monkeypatch.setattr(Interpreter, "run", run)
    with board.alone:
        for _ in range(2):
            _, outcome = board.say(YES, chain=board.alone)
            assert outcome.answer.model == "tones 2"
    state = store.read()
    assert (meanwhile[0], state.entering, state.proven) == (current.sha256, "", current.sha256)
    # Had the daemon died there, twice, it would have gone back.
    dead = state.enters(current.sha256).died(1).enters(current.sha256).died(2)
    assert dead.current is None


def test_commands_tell_and_go_back(tmp_path: Path) -> None:
    store = promoted(tmp_path / "models" / "tones", version(tmp_path, "2"))
    given = ["--state-dir", str(tmp_path), "--model-dir", str(MODELS), "--local-model", "tones"]

    def command(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["models", *words, *given])
        return result.exit_code, result.stdout

    values = {"device.state_dir": str(tmp_path), "local.model_dir": str(MODELS), "local.model": "tones"}
    loaded = load(EdgeSettings, file=None, environment={}, environment_prefix="X", options=values)
    assert serving(loaded) == store.folder(store.read().current)
    assert command("list")[1].startswith("answers  tones 2 (")
    assert command("pin") == (0, f"pinned {store.read().current}.\n")
    assert "parrotlet-edge models unpin" in command("list")[1]
    assert command("unpin")[0] == 0
    assert command("back", "--why", "hears the kettle")[0] == 0
    assert "hears the kettle" in command("list")[1]
    assert serving(loaded) == TONES
    assert command("back") == (1, "")
    assert command("again")[0] == 0
    assert msgspec.json.decode(command("list", "--json")[1], type=State) == store.read()
    # What is damaged does not answer.
    again = promoted(tmp_path / "models" / "tones", version(tmp_path, "3"))
    (again.folder(again.read().current) / MODEL_FILE).write_bytes(b"rot")
    assert serving(loaded) == TONES


def test_a_service_and_a_daemon_bring_a_board_a_version_and_take_it_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, speech: Speech
) -> None:
    monkeypatch.setattr(trial, "LOOKS", (2, 3, 4))
    monkeypatch.setattr(trial, "COMMANDS_MIN", 1)
    monkeypatch.setattr(updating, "TOGETHER", 1)
    home = EdgeSettings().local.model_dir / "home-v1"
    state_dir = tmp_path / "cloud"
    owner = BoardOperations(CloudSettings(storage=Storage(state_dir=state_dir)), "ann")
    owner.offer(version(tmp_path, "2", of=home), 1.0, "new")
    store = Store(tmp_path / "models" / "home-v1", home)
    domain = tmp_path / "shop"
    domain.mkdir()
    (domain / "catalogue.jsonl").write_text(TIMER)
    with (
        path.service(state_dir, decoding_whisper="false", decoding_workers="1", domains_serve=str(domain)) as service,
        ExitStack() as stack,
    ):
        values = {"device.state_dir": str(tmp_path), "cloud.address": service.address, "device.id": "kitchen"}
        loaded = load(EdgeSettings, file=None, environment={}, environment_prefix="X", options=values)
        told = threading.Event()
        source = Waiting([*spoken(speech), *spoken(speech)], told)
        daemon = Running(
            tmp_path, source, cast(Any, whole_chain_of(loaded)), cloud__address=service.address, device__id="kitchen"
        )
        stack.callback(source.close)
        until(lambda: is_tested(store.read()))
        told.set()
        until(lambda: store.read().current is not None)
        assert daemon.error is None
        with closing(sqlite3.connect(state_dir / FILE_NAME)) as database:
            versions = database.execute("SELECT DISTINCT local_model_version FROM facts").fetchall()
        assert versions == [("home-v1 1",)]
        state = store.read()
        assert [line.what for line in state.history] == ["fetched", "tested", "promoted"]
        assert state.history[-1].why.startswith("2 utterances, 2 of them commands")
        owner.withdraw("home-v1", "bad")
        until(lambda: store.read().current is None)
        source.close()
        daemon.join(30)
    assert store.read().history[-1].why == "The service has withdrawn it."


class Waiting(Endless):
    """Says nothing before it is told to."""

    def __init__(self, blocks: Any, told: threading.Event) -> None:
        super().__init__(blocks)
        self._told = told

    def blocks(self) -> Iterator[Any]:
        self._told.wait(WAIT_S)
        yield from super().blocks()


def until(true: Callable[[], bool]) -> None:
    for _ in range(int(WAIT_S / 0.05)):
        if true():
            return
        threading.Event().wait(0.05)
    raise AssertionError("not so in time")


def test_wherever_a_board_is_killed_its_models_fit_together(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(chaos_models, "AFTER_S_MAX", 1.0)
    found = chaos_models.trial_of(tmp_path, 4, 0, 4)
    assert found.kills.total() == 4
    assert (found.torn, found.lost, found.refetched, found.litter, found.mute) == ([], [], [], [], [])
    assert found.done["fetched"]
