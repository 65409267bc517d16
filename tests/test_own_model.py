"""The board's own model among those that are asked."""

import asyncio
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from common.errors import CloudError, GivenUp, ModelError
from common.private_files import write_private
from common.settings import Loaded, load
from edge.__main__ import main
from edge.asking import link, own_model
from edge.asking.answer import Answer, Result
from edge.asking.chain import Chain
from edge.asking.chain_stream import ChainStream, Member
from edge.asking.cloud_channel import CallFailed, Trouble
from edge.asking.link import Link
from edge.asking.network import Network
from edge.asking.own_model import OwnModel, OwnStream
from edge.asking.services import own_chain_of, whole_chain_of
from edge.clock import SYSTEM_CLOCK
from edge.local.interpreter import Interpreter
from edge.settings import EdgeSettings
from edge.speech.utterance import UtteranceEnd, UtteranceFrames, UtteranceHead
from edge.spool.event import Event, Kind
from edge.spool.keeping import Keeping
from edge.spool.spool import Spool
from protos.feature_spec import DEFAULT_SPEC, Levels
from protos.model_card import CARD_FILE, MODEL_FILE, Command, read_model_card, write_model_card
from tests.conftest import Speech
from tests.edge_fakes import ANSWER, utterance
from tests.test_chain import AWAY, NEVER_S, SOON_S, WAIT_S, Outcome, Service
from tests.tones import MODELS, NO, SILENCE, TONES, UNKNOWN, YES, heard


class Board:
    """A chain of a service and the model."""

    def __init__(self, *, words_s_max: float = NEVER_S, final_s_max: float = NEVER_S, folder: Path = TONES) -> None:
        self.network = Network()
        self.cloud = Service(self.network, "cloud:1")
        self.own = OwnModel(folder, DEFAULT_SPEC, self.network)
        self.links = [Link(self.cloud), Link(self.own)]
        own = Member("local", self.own, self.links[1], NEVER_S, NEVER_S, wants_whole=True)
        self.chain = Chain(self.network, [Member("cloud", self.cloud, self.links[0], words_s_max, final_s_max)], own)
        self.alone = Chain(self.network, [], own)

    def say(
        self, kind: tuple[int, int, int], *, chain: Chain | None = None, to_the_end: bool = True
    ) -> tuple[ChainStream, Outcome]:
        head, frames, end = spoken(heard((SILENCE, 20), (kind, 110)))
        outcome = Outcome()
        stream = (chain or self.chain).start(head, outcome)
        stream.send(frames)
        if to_the_end:
            stream.finish(end)
        return stream, outcome

    def settled(self) -> None:
        """All that was sent has arrived."""
        self.network.run(asyncio.sleep(0)).result(WAIT_S)


def spoken(levels: Levels, *, speech_ms: int = 900) -> tuple[UtteranceHead, UtteranceFrames, UtteranceEnd]:
    head, frames, end = utterance(0)
    assert isinstance(head, UtteranceHead)
    assert isinstance(frames, UtteranceFrames)
    assert isinstance(end, UtteranceEnd)
    end = msgspec.structs.replace(end, speech_start_ms=200, speech_end_ms=200 + speech_ms)
    return head, frames._replace(levels=levels), end


@pytest.fixture
def board() -> Iterator[Board]:
    made = Board()
    with made.chain:
        yield made


@pytest.fixture(autouse=True)
def quick_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    for pause in ("FIRST_PROBE_S", "PROBE_S"):
        monkeypatch.setattr(link, pause, (0.001, 0.002))


def settings(**options: Any) -> Loaded[EdgeSettings]:
    values = {"local.model_dir": str(MODELS), "local.model": "tones", **options}
    return load(EdgeSettings, file=None, environment={}, environment_prefix="X", options=values)


def test_when_the_service_is_away_the_model_answers_with_what_its_card_says(board: Board) -> None:
    _, outcome = board.say(YES)
    board.settled()
    board.cloud.settle(AWAY)
    answer = outcome.answer
    assert (answer.path, answer.transcript, answer.engine, answer.model) == ("local", "yes", "tflite", "tones 1")
    assert answer.confidence == pytest.approx(1, abs=0.02)
    assert answer.results == (Result("answer-yes", "Yes", "Agrees.", answer.confidence, None, "answer.yes"),)
    assert answer.why_not_better == "there:1: the service cannot be reached."
    assert not answer.settles
    assert answer.decoding_ms is not None


def test_a_command_without_an_entry_finds_nothing(board: Board) -> None:
    _, outcome = board.say(NO, chain=board.alone)
    assert (outcome.answer.transcript, outcome.answer.results) == ("no", ())


def test_what_it_does_not_know_is_no_command_and_no_fault_of_its_link(board: Board) -> None:
    for _ in range(link.FAILURES_MAX + 1):
        _, outcome = board.say(UNKNOWN, chain=board.alone)
        assert str(outcome.error) == "tones 1: not understood."
        assert isinstance(outcome.error, CallFailed)
        assert outcome.error.trouble is not Trouble.REFUSED
        assert board.links[1]._failures == 0
    assert board.links[1].answered_s is not None


def test_a_word_in_a_long_sentence_is_no_command(board: Board) -> None:
    for speech_ms, text in ((1470, "yes"), (1490, None)):
        outcome = Outcome()
        head, frames, end = spoken(heard((YES, 200)), speech_ms=speech_ms)
        stream = board.alone.start(head, outcome)
        stream.send(frames)
        stream.finish(end)
        assert outcome.over.wait(WAIT_S)
        (said,) = outcome.settled
        assert (said.transcript if isinstance(said, Answer) else None) == text


def test_nobody_hears_of_the_model_while_the_service_answers(board: Board) -> None:
    _, outcome = board.say(YES)
    board.settled()
    board.cloud.settle(ANSWER)
    assert outcome.answer == ANSWER
    assert board.own._spotter is None


def test_when_the_service_is_late_the_model_answers_and_the_service_better() -> None:
    board = Board(final_s_max=SOON_S)
    with board.chain:
        _, outcome = board.say(YES)
        assert outcome.answer.path == "local"
        assert outcome.answer.why_not_better == "cloud:1: no answer within 0.05 s."
        board.cloud.settle(ANSWER)
        assert outcome.better == [ANSWER]
        assert outcome.left == 1


def test_a_service_that_had_no_words_in_time_is_not_waited_for_at_the_end() -> None:
    board = Board(words_s_max=SOON_S)
    with board.chain:
        stream, outcome = board.say(YES, to_the_end=False)
        board.settled()
        # The loop keeps the order of its timers.
        board.network.run(asyncio.sleep(2 * SOON_S)).result(WAIT_S)
        assert not outcome.settled
        stream.finish(spoken(heard((YES, 1)))[2])
        assert outcome.answer.path == "local"
        assert outcome.answer.why_not_better == "cloud:1: no words within 0.05 s."


def test_words_that_came_after_all_are_waited_for() -> None:
    board = Board(words_s_max=SOON_S, final_s_max=NEVER_S)
    with board.chain:
        stream, outcome = board.say(YES, to_the_end=False)
        board.settled()
        board.network.run(asyncio.sleep(2 * SOON_S)).result(WAIT_S)
        board.cloud.tell_partial("yes")
        stream.finish(spoken(heard((YES, 1)))[2])
        board.settled()
        assert list(stream._tries) == [0]


def test_a_service_that_comes_back_while_somebody_speaks_is_asked_and_not_the_model(board: Board) -> None:
    _, first = board.say(YES)
    board.settled()
    board.cloud.settle(AWAY)
    assert first.answer.path == "local"
    stream, outcome = board.say(YES, to_the_end=False)
    board.settled()
    board.cloud.there = True
    assert board.cloud.asked.acquire(timeout=WAIT_S)
    assert board.cloud.asked.acquire(timeout=WAIT_S)
    stream.finish(spoken(heard((YES, 1)))[2])
    board.settled()
    board.cloud.settle(ANSWER)
    assert outcome.answer == ANSWER


def test_the_end_is_not_waited_for_longer_where_the_service_is_known_to_be_away(board: Board) -> None:
    board.say(YES)
    board.settled()
    board.cloud.settle(AWAY)
    _, outcome = board.say(NO)
    assert (outcome.answer.path, outcome.answer.transcript) == ("local", "no")
    assert len(board.cloud.streams) == 1


def test_without_any_service_the_model_is_the_best_and_settles(board: Board) -> None:
    _, outcome = board.say(YES, chain=board.alone)
    assert (outcome.answer.path, outcome.answer.why_not_better, outcome.answer.settles) == ("local", None, True)


def test_of_too_many_at_a_time_the_last_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_model, "WAITING_MAX", 1)
    board = Board()
    goes_on, began = threading.Event(), threading.Event()

    def wait(stream: Any) -> None:
        began.set()
        assert goes_on.wait(WAIT_S)

    monkeypatch.setattr(board.own, "_spot", wait)
    with board.alone:
        first = board.say(YES, chain=board.alone)[1]
        assert began.wait(WAIT_S)
        second, third = (board.say(YES, chain=board.alone)[1] for _ in range(2))
        assert str(third.error) == "tones 1: 1 utterances wait already."
        goes_on.set()
        assert isinstance(first.error, CloudError)
        assert isinstance(second.error, CloudError)


def test_what_waits_when_the_board_stops_is_given_up(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on, began = threading.Event(), threading.Event()
    outcomes: list[Answer | CloudError] = []

    def wait(stream: Any) -> None:
        began.set()
        assert goes_on.wait(WAIT_S)

    monkeypatch.setattr(board.own, "_spot", wait)
    head, frames, end = spoken(heard((YES, 100)))
    for _ in range(3):
        stream = board.own.start(head, on_settled=outcomes.append)
        stream.send(frames)
        stream.finish(end)
    assert began.wait(WAIT_S)
    threading.Timer(0.01, goes_on.set).start()
    board.own.__exit__(None, None, None)
    board.settled()
    assert sorted(type(one).__name__ for one in outcomes) == ["GivenUp", "GivenUp", "NotUnderstood"]
    assert not board.own.alive


def test_one_that_is_given_up_is_told_once(board: Board) -> None:
    outcomes: list[Answer | CloudError] = []
    stream = board.own.start(spoken(heard((YES, 1)))[0], on_settled=outcomes.append)
    stream.cancel()
    stream.settle(ANSWER)
    (only,) = outcomes
    assert isinstance(only, GivenUp)


def test_a_model_that_cannot_run_is_down_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    board = Board()
    with board.alone, monkeypatch.context() as without:
        without.setattr("edge.local.interpreter.MODULES", ("no_such_module.interpreter",))
        _, outcome = board.say(YES, chain=board.alone)
        assert "No TFLite interpreter works here" in str(outcome.error)
        (said,) = board.alone.services()
        assert (said.path, said.address) == ("local", "tones 1")
        assert "No TFLite interpreter works here" in str(said.down)


def changed(folder: Path, **fields: Any) -> None:
    card = read_model_card(folder / CARD_FILE)
    write_model_card(folder / CARD_FILE, msgspec.structs.replace(card, **fields))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Of the model's folder, to be changed while the board runs."""
    return Path(shutil.copytree(TONES, tmp_path / "tones"))


def test_a_model_that_was_replaced_before_it_was_needed_answers_as_its_own_card_says(copy: Path) -> None:
    board = Board(folder=copy)
    with board.alone:
        changed(copy, version="2", labels=("silence", "unknown", "aye", "no"), commands={"aye": Command(text="aye")})
        _, outcome = board.say(YES, chain=board.alone)
        assert (outcome.answer.transcript, outcome.answer.model) == ("aye", "tones 2")
        assert board.alone.alive


def test_one_that_was_replaced_by_a_wake_word_is_down(copy: Path) -> None:
    board = Board(folder=copy)
    with board.alone:
        changed(copy, kind="wake")
        _, outcome = board.say(YES, chain=board.alone)
        assert "this is a model for wake, not for commands" in str(outcome.error)


def test_half_a_model_is_looked_at_again_when_its_files_have_changed(copy: Path) -> None:
    board = Board(folder=copy)
    whole = (copy / MODEL_FILE).read_bytes()
    with board.alone:
        (copy / MODEL_FILE).write_bytes(whole[:100])
        _, outcome = board.say(YES, chain=board.alone)
        assert "the file is not that of model tones 1" in str(outcome.error)
        assert board.alone.services()[0].down is not None
        write_private(copy / MODEL_FILE, whole)
        board.network.run(board.links[1].up()).result(WAIT_S)
        assert board.say(YES, chain=board.alone)[1].answer.transcript == "yes"


def test_a_model_that_breaks_while_it_runs_is_down_until_its_files_change(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any, values: Any) -> Any:
        raise ModelError("The model cannot be computed here: no memory.")

    board = Board(folder=copy)
    with board.alone:
        with monkeypatch.context() as breaking:
            breaking.setattr(Interpreter, "run", fail)
            _, outcome = board.say(YES, chain=board.alone)
            assert "no memory" in str(outcome.error)
            assert board.alone.alive
        changed(copy, version="2")
        board.network.run(board.links[1].up()).result(WAIT_S)
        assert board.say(YES, chain=board.alone)[1].answer.model == "tones 2"


def test_frames_are_not_held_when_it_has_answered(board: Board) -> None:
    stream, outcome = board.say(YES, chain=board.alone)
    assert outcome.answer.path == "local"
    asked = stream._tries[0].stream
    assert isinstance(asked, OwnStream)
    assert asked.levels == []


def test_the_death_of_its_thread_is_seen(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(stream: Any) -> None:
        raise ZeroDivisionError("no model does that")

    assert board.chain.alive
    monkeypatch.setattr(board.own, "_spot", die)
    board.say(YES, chain=board.alone)
    board.own._worker.join(WAIT_S)
    assert not board.chain.alive


def test_a_model_that_is_not_for_commands_is_refused(copy: Path) -> None:
    changed(copy, kind="wake")
    with pytest.raises(ModelError, match="this is a model for wake, not for commands"):
        OwnModel(copy, DEFAULT_SPEC, Network())


def test_settings_name_the_model_and_a_missing_one_is_told_and_done_without(caplog: pytest.LogCaptureFixture) -> None:
    chain = whole_chain_of(settings(), explain=True)
    assert [service.path for service in chain.services()] == ["cloud", "local"]
    assert chain.members[0].service.explain
    assert not whole_chain_of(settings()).members[0].service.explain
    assert [service.path for service in whole_chain_of(settings(**{"local.model": ""})).services()] == ["cloud"]
    assert not caplog.records
    assert [service.path for service in whole_chain_of(settings(**{"local.model": "x"})).services()] == ["cloud"]
    (record,) = caplog.records
    assert record.getMessage().startswith("the board does not answer by itself: ")
    assert record.getMessage().endswith("x/card.json: No such file or directory.")


def test_frames_of_other_levels_than_the_model_knows_are_told(caplog: pytest.LogCaptureFixture) -> None:
    assert [one.path for one in whole_chain_of(settings(**{"cloud.levels": 16})).services()] == ["cloud"]
    assert "was trained on features" in caplog.text


def test_offline_wants_a_model() -> None:
    assert [service.path for service in own_chain_of(settings()).services()] == ["local"]
    with pytest.raises(ModelError, match=r"local\.model is empty"):
        own_chain_of(settings(**{"local.model": ""}))


def kept_while_away(folder: Path, kind: tuple[int, int, int]) -> tuple[Outcome, list[str], list[Event]]:
    """What is said while the service is away: what came of it, what is in the spool then, and what was told."""
    events: list[Event] = []
    board = Board()
    spool = Spool(
        folder / "spool.db",
        settings().settings.spool,
        boot_id="b",
        coding=DEFAULT_SPEC.fingerprint,
        hop_ms=10,
        on_event=events.append,
    )
    with spool, Keeping(board.chain, spool, DEFAULT_SPEC, SYSTEM_CLOCK) as keeping:
        outcome = Outcome()
        head, frames, end = spoken(heard((kind, 120)))
        stream = keeping.start(head, outcome)
        stream.send(frames)
        stream.finish(end)
        board.settled()
        board.cloud.settle(AWAY)
        assert outcome.over.wait(WAIT_S)
        spool.ask(lambda store: None).result(WAIT_S)
        kept = spool.ask(lambda store: store.kept()).result(WAIT_S)
        return outcome, [one.head.utterance_id for one in kept], events


def test_its_answer_is_a_final_that_may_act_and_is_kept_for_the_service(tmp_path: Path) -> None:
    outcome, kept, events = kept_while_away(tmp_path, YES)
    assert outcome.answer.path == "local"
    assert kept == [spoken(heard((YES, 1)))[0].utterance_id]
    assert [(event.kind, event.may_act) for event in events] == [(Kind.FINAL, True)]


def test_what_was_not_understood_is_kept_for_later(tmp_path: Path) -> None:
    outcome, kept, _ = kept_while_away(tmp_path, UNKNOWN)
    assert str(outcome.error) == (
        "there:1: the service cannot be reached. tones 1: not understood. It is kept, and will be sent."
    )
    assert len(kept) == 1


@pytest.mark.parametrize(("name", "status", "text"), [("egg", 0, "no"), ("latte", 3, None)])
def test_a_file_is_answered_offline(speech: Speech, name: str, status: int, text: str | None) -> None:
    asked = ["test", "--offline", "--json", "--model-dir", str(MODELS), "--local-model", "tones"]
    result = CliRunner().invoke(main, [*asked, str(speech.path(name))])
    assert result.exit_code == status
    line = msgspec.json.decode(result.stdout)
    assert (line["path"], line["transcript"], line["why_not_better"]) == (
        ("local", text, None) if text else ("none", "", "tones 1: not understood.")
    )


@pytest.mark.usefixtures("usual_model")
def test_offline_without_a_model_is_a_sentence(speech: Speech, tmp_path: Path) -> None:
    asked = ["test", "--offline", "--model-dir", str(tmp_path), str(speech.path("egg"))]
    result = CliRunner().invoke(main, asked)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"{tmp_path}/home-v1/card.json: No such file or directory.\n"
