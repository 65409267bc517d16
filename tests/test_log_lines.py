"""`parrotlet-cloud log export`: what was answered and what people said of it, a line an utterance."""

import asyncio
import json
from pathlib import Path

from click.testing import CliRunner, Result

from cloud.__main__ import main
from cloud.log.answer_log import Key, Occasion, SqliteAnswerLog
from protos import speech_pb2
from tests.test_feedback import said, tell

FINAL = speech_pb2.Final(
    transcript="play jazz",
    confidence=0.5,
    engine=speech_pb2.Engine(name="whisper", model="tiny.en"),
    domain=speech_pb2.Domain(name="home", version="0123"),
    choices=[
        speech_pb2.Choice(transcript="play jazz", intent=speech_pb2.Intent(name="play", slots={"what": "jazz"})),
        speech_pb2.Choice(transcript="play chess", intent=speech_pb2.Intent(name="game", slots={"what": "chess"})),
    ],
    results=[speech_pb2.SearchResult(id="music-jazz"), speech_pb2.SearchResult(id="game-chess")],
)


def export(state: Path, file: Path) -> Result:
    environment = {"PARROTLET_CLOUD_STORAGE_STATE_DIR": str(state)}
    return CliRunner().invoke(main, ["log", "export", str(file)], env=environment)


def test_each_utterance_is_a_line_with_what_was_said_of_it(tmp_path: Path) -> None:
    with SqliteAnswerLog(tmp_path / "answers.db", unix_us=lambda: 60_000_000) as log:
        asyncio.run(log.put(Key("kitchen", "u1"), FINAL, Occasion(5)))
        asyncio.run(log.put(Key("kitchen", "u2"), speech_pb2.Final()))
        verdict = speech_pb2.VERDICT_WRONG
        tell(
            log, said("f2", at=9, given_by="ab12", verdict=verdict, transcript="play chess", of_transcript="play jets")
        )
        tell(log, said("f1", at=8, choice=1, result_id="game-chess"))
        tell(log, said("f3", "u0"))
        # The service runs on.
        result = export(tmp_path, tmp_path / "log.jsonl")
    assert result.output == f"3 utterances are in {tmp_path}/log.jsonl.\n"
    assert (tmp_path / "log.jsonl").stat().st_mode & 0o777 == 0o600
    one, two, three = (json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines())
    assert one == {
        "device_id": "kitchen",
        "utterance_id": "u1",
        "answered_at": "1970-01-01T00:01:00.000Z",
        "spoken_at_unix_us": 5,
        "transcript": "play jazz",
        "confidence": 0.5,
        "engine": "whisper",
        "model": "tiny.en",
        "domain": "home",
        "domain_version": "0123",
        "choices": [
            {"transcript": "play jazz", "name": "play", "slots": {"what": "jazz"}, "values": {}},
            {"transcript": "play chess", "name": "game", "slots": {"what": "chess"}, "values": {}},
        ],
        "results": ["music-jazz", "game-chess"],
        "alternatives": [],
        "feedback": [
            {"feedback_id": "f1", "given_at_unix_us": 8, "choice": 1, "result_id": "game-chess"},
            {
                "feedback_id": "f2",
                "given_at_unix_us": 9,
                "given_by": "ab12",
                "verdict": "wrong",
                "said": "play chess",
                "of": "play jets",
            },
        ],
    }
    assert (two["utterance_id"], two["transcript"], two["feedback"]) == ("u2", "", [])
    assert three == {
        "device_id": "kitchen",
        "utterance_id": "u0",
        "feedback": [{"feedback_id": "f3", "given_at_unix_us": 7}],
    }


def test_where_there_is_no_log_that_is_said_and_nothing_is_made(tmp_path: Path) -> None:
    result = export(tmp_path / "state", tmp_path / "log.jsonl")
    assert result.exit_code == 2
    assert "There is no utterance log" in result.output
    assert not any(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with SqliteAnswerLog(tmp_path / "answers.db"):
        pass
    result = export(tmp_path, tmp_path / "no" / "log.jsonl")
    assert result.exit_code == 2
    assert f"cannot be written to {tmp_path}/no/log.jsonl" in result.output
