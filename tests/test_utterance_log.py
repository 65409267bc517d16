"""What is kept of an utterance beside its answer: kept with it, found again, shown, and gone with it."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner, Result

from cloud.__main__ import main
from cloud.drift.facts import Facts
from cloud.log import facts_table, kept_features
from cloud.log.answer_log import FILE_NAME, Features, Key, Occasion, Span, SqliteAnswerLog
from cloud.log.answer_store import AnswerStore
from cloud.log.reader import LogReader
from cloud.log.wanted import Wanted
from cloud.utterance import Utterance
from common.errors import SettingsError
from protos import speech_pb2
from protos.coded_frames import UnreadableError
from protos.feature_spec import DEFAULT_SPEC, Levels
from tests.test_feedback import said, tell

DAY_US = 86_400_000_000
NOW_US = 1_800_000_000_000_000


def some_levels(count: int = 200) -> Levels:
    return np.random.default_rng(7).integers(0, DEFAULT_SPEC.levels, (count, DEFAULT_SPEC.bands), dtype=np.int8)


def spoken(utterance_id: str, device_id: str = "kitchen", **config: Any) -> Utterance:
    """An utterance of 2 s whose final came 0.1 s after its end."""
    now = iter([0.0, 0.4, 1.9, 2.0])
    sent = speech_pb2.UtteranceConfig(
        utterance_id=utterance_id, device_id=device_id, edge_version="0.1.0", attempt=1, **config
    )
    one = Utterance(sent, DEFAULT_SPEC, clock=lambda: next(now), knows_word=lambda word: word != "jets")
    one.hear(some_levels()[:150])
    one.hear(some_levels()[150:])
    one.show()
    one.close(
        speech_pb2.UtteranceEnd(
            reason="END_REASON_ENDPOINT",
            speech_start_ms=400,
            speech_end_ms=1600,
            snr_db=12.5,
            pitch_hz=120.4,
            pitch_low_hz=99.8,
            pitch_high_hz=150,
        )
    )
    return one


def answered(transcript: str, confidence: float = 0.8) -> speech_pb2.Final:
    return speech_pb2.Final(
        transcript=transcript,
        confidence=confidence,
        engine=speech_pb2.Engine(name="whisper", model="tiny.en"),
        domain=speech_pb2.Domain(name="home", version="01"),
        intent=speech_pb2.Intent(name="play", slots={"what": "jets"}),
        alternatives=[speech_pb2.Alternative(transcript="play jazz", confidence=0.5, engine="pocketsphinx")],
        results=[speech_pb2.SearchResult(id="jets", title="The Jets", score=2.5)],
    )


def keep(log: SqliteAnswerLog, utterance: Utterance, final: speech_pb2.Final) -> speech_pb2.Final:
    utterance.answer(final)
    key = Key(utterance.config.device_id, utterance.config.utterance_id)
    return asyncio.run(log.put(key, final, Occasion(NOW_US), utterance))


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqliteAnswerLog]:
    with SqliteAnswerLog(tmp_path / FILE_NAME, features=Features(1.0, 30, 10), unix_us=lambda: NOW_US) as log:
        yield log


def run(folder: Path, *command: str) -> Result:
    return CliRunner().invoke(main, ["log", *command], env={"PARROTLET_CLOUD_STORAGE_STATE_DIR": str(folder)})


def test_every_fact_has_its_column_and_comes_back(tmp_path: Path, log: SqliteAnswerLog) -> None:
    with closing(AnswerStore(tmp_path / FILE_NAME)) as store:
        columns = [row[1] for row in store._database.execute("PRAGMA table_info(facts)")]
    assert sorted(columns) == sorted(["number", "transcript", *facts_table.COLUMNS])
    bands = tuple(-float(number) for number in range(16))
    facts = Facts(
        device_id="kitchen", utterance_id="u1", snr_db=1.5, replayed=True, was_empty=False, noise_bands_db=bands
    )
    assert facts_table.facts("u1", facts_table.row(facts)) == facts


def test_whether_a_candidate_agrees_stands_with_the_answer(tmp_path: Path, log: SqliteAnswerLog) -> None:
    keep(log, spoken("u1", local_transcript="Play Jets!"), answered("play jets"))
    keep(log, spoken("u2"), answered("play chess"))
    asyncio.run(log.agreed(Key("kitchen", "u1"), shadow_agrees=False))
    asyncio.run(log.agreed(Key("kitchen", "u9"), shadow_agrees=True))
    with closing(LogReader(tmp_path / FILE_NAME)) as reader:
        newest = reader.newest(Wanted(), 9)
    assert [(one.facts.local_agrees, one.facts.shadow_agrees) for one in newest] == [(None, None), (True, False)]
    shown = run(tmp_path, "show", "u1").output
    assert "board said Play Jets!" in shown
    assert "beside it  the board's own model heard the same, the candidate heard something else" in shown
    assert "beside it" not in run(tmp_path, "show", "u2").output


def test_what_the_board_answered_itself_is_known_by_its_path(tmp_path: Path, log: SqliteAnswerLog) -> None:
    keep(log, spoken("u1", local_transcript="Play Jets!", replayed=True, local_model_version="home-v1 2"), answered(""))
    keep(log, spoken("u2", replayed=True), answered("play jets"))
    later, local = run(tmp_path, "query").output.splitlines()
    assert "answered by the board, sent later" in local
    assert "answered by the board" not in later and "sent later" in later
    rows = [json.loads(row)["path"] for row in run(tmp_path, "query", "--json").output.splitlines()]
    assert rows == ["cloud", "local"]
    assert "parrotlet-edge 0.1.0, its own model home-v1 2, sent later" in run(tmp_path, "show", "u1").output


def test_an_answer_that_waits_for_the_disk_is_agreed_with_there(tmp_path: Path, log: SqliteAnswerLog) -> None:
    assert log._store is not None
    log._store._database.execute("PRAGMA max_page_count = 1")
    assert keep(log, spoken("u1"), answered("play jets " * 2000)).not_logged
    asyncio.run(log.agreed(Key("kitchen", "u1"), shadow_agrees=True))
    log._store._database.execute("PRAGMA max_page_count = 100000")
    assert asyncio.run(log.get(Key("kitchen", "u2"))) is None
    keep(log, spoken("u2"), answered("play chess"))
    with closing(LogReader(tmp_path / FILE_NAME)) as reader:
        assert [one.facts.shadow_agrees for one in reader.newest(Wanted(), 9)] == [None, True]


def test_an_utterance_is_kept_whole(tmp_path: Path, log: SqliteAnswerLog) -> None:
    keep(log, spoken("u1"), answered("play jets"))
    tell(log, said("f1", given_by="ab12", transcript="play chess"))
    with closing(LogReader(tmp_path / FILE_NAME)) as reader:
        whole = reader.one("u1")
        assert whole is not None and whole == reader.one("u1", "kitchen")
        assert reader.one("u1", "garage") is None and reader.one("u2") is None
    assert whole.facts is not None and whole.config is not None and whole.end is not None
    assert whole.facts.endpoint_to_final_ms == 100
    assert whole.facts.onset_to_partial_ms == 400
    assert whole.facts.unknown_share == 0.5
    assert whole.facts.snr_db == 12.5
    assert whole.facts.noise_bands_db is not None
    assert whole.config.edge_version == "0.1.0"
    assert whole.end.speech_end_ms == 1600
    assert whole.final.alternatives[0].engine == "pocketsphinx"
    assert [one.transcript for one in whole.feedback] == ["play chess"]
    assert whole.features is not None
    levels, spec = kept_features.unpack(whole.features)
    assert spec == DEFAULT_SPEC and np.array_equal(levels, some_levels())


def test_the_silence_before_is_that_since_the_boards_last_words(tmp_path: Path, log: SqliteAnswerLog) -> None:
    for number, (device, begun_s) in enumerate([("kitchen", 0), ("hall", 1), ("kitchen", 12)]):
        at_us = NOW_US + 1_000_000 * begun_s
        keep(log, spoken(f"u{number}", device, started_at_unix_us=at_us, clock_synchronised=True), answered("play"))
    with closing(LogReader(tmp_path / FILE_NAME)) as reader:
        found = [entry.facts.silence_before_s for entry in reader.since(0, 10)]
    assert found == [None, None, 10.0]


def test_a_second_final_of_a_key_leaves_the_first_ones_record(tmp_path: Path, log: SqliteAnswerLog) -> None:
    keep(log, spoken("u1"), answered("play jets"))
    keep(log, spoken("u1"), answered("play chess"))
    with closing(LogReader(tmp_path / FILE_NAME)) as reader:
        assert [entry.transcript for entry in reader.newest(Wanted(), 10)] == ["play jets"]


def test_many_that_come_at_once_are_all_kept(tmp_path: Path, log: SqliteAnswerLog) -> None:
    async def all_at_once() -> list[speech_pb2.Final]:
        finals = []
        for number in range(50):
            utterance, final = spoken(f"u{number}"), answered(f"play {number}")
            utterance.answer(final)
            finals.append(log.put(Key("kitchen", f"u{number}"), final, Occasion(NOW_US), utterance))
        return await asyncio.gather(*finals)

    kept = asyncio.run(all_at_once())
    assert [final.transcript for final in kept] == [f"play {number}" for number in range(50)]
    assert not any(final.not_logged for final in kept)
    with closing(LogReader(tmp_path / FILE_NAME)) as reader:
        assert reader.count(Wanted()) == 50


def test_what_is_forgotten_is_gone_with_all_that_was_kept(tmp_path: Path, log: SqliteAnswerLog) -> None:
    keep(log, spoken("u1"), answered("canary"))
    keep(log, spoken("u2", "hall"), answered("play jets"))
    assert asyncio.run(log.forget("kitchen", None, Span())) == 1
    with closing(AnswerStore(tmp_path / FILE_NAME)) as store:
        for table in ("answers", "facts", "features"):
            assert store._database.execute(f"SELECT count(*) FROM {table}").fetchone() == (1,)
    assert all(b"canary" not in file.read_bytes() for file in tmp_path.iterdir())


def test_frames_are_kept_for_their_time_and_room_only(tmp_path: Path) -> None:
    now_us = NOW_US
    with SqliteAnswerLog(tmp_path / FILE_NAME, features=Features(1.0, 2, 1), unix_us=lambda: now_us) as log:
        for number in range(4):
            keep(log, spoken(f"u{number}"), answered("play"))
            now_us += DAY_US
    with closing(AnswerStore(tmp_path / FILE_NAME)) as store:

        def left() -> list[int]:
            return [number for (number,) in store._database.execute("SELECT number FROM features ORDER BY number")]

        assert left() == [1, 2, 3, 4]
        assert store.prune_features(NOW_US + DAY_US, 1_000_000_000) == 1
        assert left() == [2, 3, 4]
        [(size,)] = store._database.execute("SELECT MAX(LENGTH(kept)) FROM features")
        assert store.prune_features(0, 2 * size) == 1
        assert left() == [3, 4]
        # What it was like is kept on.
        assert store._database.execute("SELECT count(*) FROM facts").fetchone() == (4,)


def test_no_frames_are_kept_unless_the_owner_says_so(tmp_path: Path) -> None:
    with SqliteAnswerLog(tmp_path / FILE_NAME) as log:
        keep(log, spoken("u1"), answered("play"))
    with closing(LogReader(tmp_path / FILE_NAME)) as reader:
        whole = reader.one("u1")
    assert whole is not None and whole.features is None


def test_the_share_of_utterances_that_are_drawn_is_as_asked_for() -> None:
    keys = [f"u{number}" for number in range(10_000)]
    drawn = {key for key in keys if kept_features.is_drawn("kitchen", key, 0.1)}
    assert 850 < len(drawn) < 1150
    assert drawn <= {key for key in keys if kept_features.is_drawn("kitchen", key, 0.2)}
    assert all(kept_features.is_drawn("kitchen", key, 1.0) for key in keys)
    assert not any(kept_features.is_drawn("kitchen", key, 0.0) for key in keys)


@pytest.mark.parametrize("damage", [b"", b"\x92\xa1x\x90", b"nonsense"])
def test_frames_that_are_damaged_are_said_to_be(damage: bytes) -> None:
    with pytest.raises(UnreadableError):
        kept_features.unpack(damage)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), ["u3", "u2", "u1"]),
        (Wanted(device_id="hall"), ["u3"]),
        (Wanted(text="JETS"), ["u1"]),
        (Wanted(text="%"), []),
        (Wanted(confidence_max=0.5), ["u2"]),
        (Wanted(engine="whisper", intent="play", domain="home", model="tiny.en"), ["u3", "u2", "u1"]),
        (Wanted(engine="pocketsphinx"), []),
        (Wanted(judged=True), ["u1"]),
        (Wanted(judged=False), ["u3", "u2"]),
        (Wanted(empty=True), ["u3"]),
        (Wanted(snr_max=12), []),
        (Wanted(since_unix_us=NOW_US + 1), ["u3", "u2"]),
        (Wanted(until_unix_us=NOW_US + 1), ["u1"]),
        (Wanted(before_number=3), ["u2", "u1"]),
    ],
)
def test_what_is_wanted_is_found(tmp_path: Path, wanted: Wanted, found: list[str]) -> None:
    now_us = NOW_US
    with SqliteAnswerLog(tmp_path / FILE_NAME, unix_us=lambda: now_us) as log:
        keep(log, spoken("u1"), answered("play jets"))
        now_us += 10
        keep(log, spoken("u2"), answered("play chess", confidence=0.4))
        keep(log, spoken("u3", "hall"), answered(""))
        tell(log, said("f1", verdict=speech_pb2.VERDICT_WRONG))
    with closing(LogReader(tmp_path / FILE_NAME)) as reader:
        assert [entry.facts.utterance_id for entry in reader.newest(wanted, 10)] == found
        assert [entry.facts.utterance_id for entry in reader.every(wanted)] == found[::-1]
        assert reader.count(wanted) == len(found)


def test_query_and_show_tell_what_is_kept(tmp_path: Path, log: SqliteAnswerLog) -> None:
    keep(log, spoken("u1", language="\x1b]0;"), answered("play \x1b]0;jets"))
    tell(log, said("f1", given_by="ab12", verdict=speech_pb2.VERDICT_WRONG, transcript="play chess"))
    [line] = run(tmp_path, "query").output.splitlines()
    assert "kitchen" in line and "80 % sure" in line and line.endswith("u1")
    assert "\x1b" not in line
    row = json.loads(run(tmp_path, "query", "--device", "kitchen", "--json").output)
    assert (row["transcript"], row["snr_db"], row["intent"]) == ("play \x1b]0;jets", 12.5, "play")
    nothing = run(tmp_path, "query", "--device", "garage")
    assert (nothing.exit_code, nothing.stderr) == (0, "Nothing like that is in the log.\n")
    shown = run(tmp_path, "show", "u1").output
    assert "\x1b" not in shown
    for part in (
        "utterance  u1 of kitchen",
        # Its clock was not known to be right.
        "spoken     before 2027-",
        "words      2, 0 % of them none of the domain's, ahead of the next reading by 0.30",
        "parrotlet-edge 0.1.0, live",
        "2000 ms, 1200 ms of it speech, ended by endpoint",
        "pitch 120 Hz (100 to 150)",
        "12.5 dB over it",
        "first words after 400 ms, final 100 ms after the end",
        "or         play jazz, 50 % sure by pocketsphinx",
        "meant      play: what jets",
        "found      The Jets [jets], 2.50",
        'said of it wrong, "play chess" was said, by ab12',
        "bytes of frames are kept",
    ):
        assert part in shown
    missing = run(tmp_path, "show", "u9")
    assert (missing.exit_code, missing.stderr[:23]) == (1, "No such utterance is in")


@pytest.mark.parametrize("mad_us", [2**63 - 1, -1])
def test_a_time_that_cannot_be_is_that_of_the_answer(tmp_path: Path, log: SqliteAnswerLog, mad_us: int) -> None:
    one = spoken("u1", started_at_unix_us=mad_us, clock_synchronised=True)
    keep(log, one, answered("play jets"))
    assert one.spoken_at_unix_us is None
    assert json.loads(run(tmp_path, "query", "--json").output)["at_unix_us"] == NOW_US
    assert run(tmp_path, "query").exit_code == run(tmp_path, "show", "u1").exit_code == 0


def test_what_is_exported_is_what_was_asked_for_and_has_its_facts(tmp_path: Path, log: SqliteAnswerLog) -> None:
    keep(log, spoken("u1"), answered("play jets"))
    keep(log, spoken("u2"), answered("play chess"))
    tell(log, said("f1", verdict=speech_pb2.VERDICT_WRONG))
    tell(log, said("f2", "u0"))
    assert "1 utterances" in run(tmp_path, "export", "--judged", str(tmp_path / "some.jsonl")).output
    [line] = (tmp_path / "some.jsonl").read_text().splitlines()
    told = json.loads(line)
    assert told["utterance_id"] == "u1" and told["facts"]["snr_db"] == 12.5
    assert told["alternatives"] == [{"transcript": "play jazz", "engine": "pocketsphinx", "confidence": 0.5}]
    run(tmp_path, "export", str(tmp_path / "all.jsonl"))
    ids = [json.loads(line)["utterance_id"] for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert ids == ["u1", "u2", "u0"]


def test_a_log_that_is_none_is_said_to_be(tmp_path: Path) -> None:
    assert "There is no utterance log" in run(tmp_path, "query").output
    (tmp_path / FILE_NAME).write_bytes(b"nonsense" * 1000)
    with pytest.raises(SettingsError, match="cannot be read as an utterance log"):
        LogReader(tmp_path / FILE_NAME)


def test_facts_without_an_utterance_are_all_unknown() -> None:
    assert msgspec.to_builtins(Facts(device_id="a", utterance_id="b")).keys() == {"device_id", "utterance_id"}
