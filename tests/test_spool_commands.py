"""`parrotlet-edge spool` as its user sees it, on a spool that a daemon left behind."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner, Result
from edge_fakes import ANSWER, utterance

from edge.__main__ import main
from edge.settings import Spool as Settings
from edge.speech.utterance import UtteranceEnd, UtteranceFrames, UtteranceHead
from edge.spool import kept_frames
from edge.spool.event import Kind
from edge.spool.spool import Spool
from edge.spool.store import Piece
from protos.feature_spec import DEFAULT_SPEC
from tests.test_spool import spoil_a_row

CANARY = np.random.default_rng(1).integers(0, 12, (98, 80)).astype(np.int8)


def invoke(folder: Path, command: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["spool", command, *arguments, "--state-dir", str(folder)])


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """u0 waits, u1 is set aside, u2 has been answered."""
    coding = kept_frames.coding(DEFAULT_SPEC)
    with Spool(tmp_path / "spool.db", Settings(), boot_id="b", coding=coding, hop_ms=10) as spool:
        for number in range(3):
            head, frames, end = utterance(number)
            assert isinstance(head, UtteranceHead)
            assert isinstance(frames, UtteranceFrames)
            assert isinstance(end, UtteranceEnd)
            entry = spool.begin(head)
            spool.append(entry, Piece(0, 98, kept_frames.encoder(DEFAULT_SPEC).encode(CANARY)))
            spool.finish(entry, end)
            if number == 1:
                spool.quarantine(entry, "It was refused.")
                spool.tell(entry, Kind.REFUSED, sentence="It was refused.")
            if number == 2:
                spool.tell(entry, Kind.FINAL, answer=ANSWER)
                spool.acknowledge(entry)
    return tmp_path


def test_how_much_is_kept(left: Path) -> None:
    said = json.loads(invoke(left, "status", "--json").output)
    assert (said["waiting"], said["quarantined"], said["answers"]) == (1, 1, 2)
    assert "waiting     1 utterances" in invoke(left, "status").output


def test_what_is_kept(left: Path) -> None:
    lines = invoke(left, "list").output.splitlines()
    assert [line.split()[0] for line in lines] == ["u0", "u1"]
    assert "waits" in lines[0]
    assert "set aside" in lines[1]
    assert lines[1].endswith("It was refused.")
    assert [json.loads(line)["utterance_id"] for line in invoke(left, "list", "--json").output.splitlines()] == [
        "u0",
        "u1",
    ]


def test_one_of_them(left: Path) -> None:
    shown = invoke(left, "show", "u1")
    assert "refused  It was refused." in shown.output
    assert "duration_ms              1000" in shown.output
    said = json.loads(invoke(left, "show", "u1", "--json").output)
    assert [event["kind"] for event in said["events"]] == ["refused"]


@pytest.mark.parametrize(("id_", "count"), [("u", 2), ("nobody", 0)])
def test_a_name_that_fits_none_or_many_is_refused_in_a_sentence(left: Path, id_: str, count: int) -> None:
    refused = invoke(left, "show", id_)
    assert refused.exit_code == 2
    assert refused.stderr == f"{id_}: {count} utterances that are kept begin so; see: parrotlet-edge spool list\n"


def test_copies_hold_what_was_heard(left: Path, tmp_path: Path) -> None:
    assert invoke(left, "export", str(tmp_path / "copies"), "--all").exit_code == 0
    assert np.array_equal(np.load(tmp_path / "copies" / "u0.npy"), CANARY)
    said = msgspec.json.decode((tmp_path / "copies" / "u1.json").read_bytes())
    assert said["last_error"] == "It was refused."


def test_what_was_set_aside_is_sent_again(left: Path) -> None:
    assert invoke(left, "retry", "u1").output == "1 utterances wait to be sent again.\n"
    assert json.loads(invoke(left, "status", "--json").output)["waiting"] == 2
    assert invoke(left, "retry", "u1").exit_code == 2


def test_what_is_dropped_leaves_no_byte(left: Path) -> None:
    data = kept_frames.encoder(DEFAULT_SPEC).encode(CANARY)
    # The database cuts long rows into pages.
    parts = [data[at : at + 20] for at in range(0, len(data), 20)]
    assert any(part in file.read_bytes() for file in left.iterdir() for part in parts)
    assert invoke(left, "drop", "--all").exit_code == 0
    assert not any(part in file.read_bytes() for file in left.iterdir() for part in parts)
    assert invoke(left, "list").stderr == "Nothing is kept: all that was said has been answered.\n"


def test_what_is_dropped_leaves_no_sound(left: Path) -> None:
    (left / "sound").mkdir()
    for name in ("u0", "other"):
        (left / "sound" / f"{name}.wav").write_bytes(b"sound")
    assert invoke(left, "drop", "u0").exit_code == 0
    assert [file.name for file in (left / "sound").iterdir()] == ["other.wav"]


def test_a_spoilt_row_is_a_sentence(left: Path) -> None:
    spoil_a_row(left / "spool.db")
    refused = invoke(left, "list")
    assert refused.exit_code == 2
    assert "spool.db: cannot be used now (a row is not what was written" in refused.stderr


@pytest.mark.parametrize("command", ["retry", "drop"])
def test_nothing_named_is_a_question(left: Path, command: str) -> None:
    assert invoke(left, command).exit_code == 2
    assert invoke(left, command, "u0", "--all").exit_code == 2


def test_no_spool_is_said(tmp_path: Path) -> None:
    assert invoke(tmp_path, "status").stderr == f"There is no spool at {tmp_path}/spool.db: nothing was kept yet.\n"
