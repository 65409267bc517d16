"""`parrotlet-edge feedback`: what a person types of an answer, the daemon running or not."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cloud.log.answer_store import AnswerStore
from edge.__main__ import main
from edge.spool.feedback import Feedback
from edge.spool.store import Quota, SpoolStore
from protos import speech_pb2
from tests.test_courier import answered, board
from tests.test_forget import Answering, answering


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """u0 and u1 have been answered."""
    with board(tmp_path / "board") as spool:
        for number in range(2):
            answered(spool, number)
    return tmp_path / "board"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Answering]:
    with answering(tmp_path / "service") as running:
        yield running


def run(state: Path, *arguments: str, service: str = "127.0.0.1:1") -> Result:
    options = ["--state-dir", str(state)] + (["--cloud", service] if arguments[0] == "give" else [])
    environment = {"PARROTLET_EDGE_CLOUD_CONNECT_S_MAX": "0.5", "PARROTLET_EDGE_DEVICE_ID": "kitchen"}
    return CliRunner().invoke(main, ["feedback", *arguments, *options], env=environment)


def kept(state: Path) -> list[Feedback]:
    with closing(SpoolStore(state / "spool.db", Quota(1 << 20, 1000))) as store:
        return store.debts.feedback()


def test_what_is_typed_is_kept_and_told(state: Path, service: Answering, tmp_path: Path) -> None:
    result = run(state, "give", "u0", "--wrong", "--said", "play chess", "--meant", "chess", service=service.address)
    assert (result.exit_code, result.output) == (0, "Kept, on u0.\n")
    (one,) = kept(state)
    assert (one.verdict, one.transcript, one.result_id, one.given_by) == ("wrong", "play chess", "chess", "board")
    with closing(AnswerStore(tmp_path / "service" / "answers.db")) as store:
        (logged,) = store.everything()
    assert speech_pb2.FeedbackRequest.FromString(logged.feedback[0]).feedback_id == one.feedback_id
    with closing(SpoolStore(state / "spool.db", Quota(1 << 20, 1000))) as store:
        assert store.debts.owed("cloud") == []


def test_a_service_that_is_away_is_told_later(state: Path) -> None:
    result = run(state, "give", "--right")
    assert (result.exit_code, result.stdout) == (3, "Kept, on u1.\n")
    assert result.stderr.startswith("The service is told as soon as the daemon reaches it. 127.0.0.1:1: ")
    with closing(SpoolStore(state / "spool.db", Quota(1 << 20, 1000))) as store:
        assert [what for _, what in store.debts.owed("cloud")] == kept(state)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["u0"], "Say what: --right"),
        (["u", "--right"], "u: 2 utterances that are known here begin so."),
        (["u7", "--right"], "u7: 0 utterances"),
        (["--said", " "], "What was said has no word."),
        (["--meant", "<b>"], "result_id '<b>'"),
    ],
)
def test_what_cannot_be_kept_is_said(state: Path, arguments: list[str], sentence: str) -> None:
    result = run(state, "give", *arguments)
    assert result.exit_code == 2
    assert sentence in result.output
    assert kept(state) == []


def test_where_nothing_was_answered_there_is_nothing_to_speak_of(tmp_path: Path) -> None:
    assert "There is no spool" in run(tmp_path, "give", "--right").output
    with board(tmp_path):
        pass
    assert run(tmp_path, "give", "--right").output == "Nothing was answered yet.\n"


def test_what_was_said_is_listed(state: Path) -> None:
    assert run(state, "list").stderr == "Nothing was said of any answer.\n"
    for arguments in (["--right"], ["u0", "--said", "play \x1b[1mchess", "--meant", "chess"]):
        run(state, "give", *arguments)
    first, second = run(state, "list").output.splitlines()
    assert (first[:4], first[-5:]) == ("u1  ", "right")
    assert second.endswith('board     said "play  [1mchess", meant chess')
    assert json.loads(run(state, "list", "--json").output.splitlines()[1])["transcript"] == "play \x1b[1mchess"
