"""A final that was put is there again, also in the next process, and the first one counts."""

import asyncio
from pathlib import Path

import pytest

from cloud.answer_log import Key, SqliteAnswerLog
from common.errors import SettingsError
from protos import speech_pb2

KEY = Key("kitchen", "u-1")


def test_the_first_final_of_a_key_counts_also_after_a_restart(tmp_path: Path) -> None:
    first, second = speech_pb2.Final(transcript="one"), speech_pb2.Final(transcript="two")
    with SqliteAnswerLog(tmp_path / "state" / "answers.db") as log:
        assert asyncio.run(log.get(KEY)) is None
        assert asyncio.run(log.put(KEY, first)) == first
        assert asyncio.run(log.put(KEY, second)) == first
    with SqliteAnswerLog(tmp_path / "state" / "answers.db") as log:
        assert asyncio.run(log.get(KEY)) == first
        assert asyncio.run(log.get(Key("garage", "u-1"))) is None


def test_the_oldest_go_when_there_are_too_many(tmp_path: Path) -> None:
    with SqliteAnswerLog(tmp_path / "answers.db", answers_max=3) as log:
        for number in range(5):
            asyncio.run(log.put(Key("kitchen", str(number)), speech_pb2.Final(transcript=str(number))))
        kept = [number for number in range(5) if asyncio.run(log.get(Key("kitchen", str(number)))) is not None]
    assert kept == [2, 3, 4]


def test_a_file_that_is_no_database_is_named_in_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "answers.db"
    file.write_bytes(b"this is not a database, and far too long to be an empty one" * 20)
    with pytest.raises(SettingsError, match="answers.db: the answers' log cannot be opened"):
        SqliteAnswerLog(file).__enter__()
