"""What has been kept for too long, by a clock that is right."""

import asyncio
import logging
import os
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from edge_fakes import ANSWER, utterance

from edge.clock import Clock
from edge.settings import Spool as Settings
from edge.speech.utterance import UtteranceEnd, UtteranceHead
from edge.spool import damaged, sounds
from edge.spool.ageing import DAY_US, Ageing
from edge.spool.event import Kind
from edge.spool.feedback import Feedback
from edge.spool.spool import Spool

WAIT_S = 20
NOW_US = 1_800_000_000_000_000


def left(folder: Path, *, synchronised: bool, sound_days: int = 0) -> tuple[list[str], list[str]]:
    """Ids of what is kept, and of what was told, of utterances of 1970, 40 days ago and yesterday."""
    settings = Settings(days_max=30, sound_days=sound_days)
    clock = Clock(unix_us=lambda: NOW_US, is_synchronised=lambda: synchronised)

    async def run(spool: Spool) -> None:
        running = asyncio.create_task(Ageing(spool, clock).run())
        # It asks at most four times, one after the other, and answers are given in order.
        await asyncio.sleep(0)
        for _ in range(5):
            await asyncio.wrap_future(spool.ask(lambda store: None))
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    with Spool(folder / "spool.db", settings, boot_id="b", coding="c", hop_ms=10) as spool:
        for number, spoken_at_us in enumerate((5, NOW_US - 40 * DAY_US, NOW_US - DAY_US)):
            head, _, end = utterance(number)
            assert isinstance(head, UtteranceHead)
            assert isinstance(end, UtteranceEnd)
            entry = spool.begin(msgspec.structs.replace(head, started_at_unix_us=spoken_at_us))
            spool.finish(entry, end)
            spool.tell(entry, Kind.FINAL, answer=ANSWER)
        asyncio.run(run(spool))
        kept = spool.ask(lambda store: [one.head.utterance_id for one in store.kept()]).result(WAIT_S)
        told = spool.ask(lambda store: [event.utterance_id for _, event in store.events()]).result(WAIT_S)
    return kept, told


def test_what_is_too_old_is_erased_with_what_was_told(tmp_path: Path) -> None:
    assert left(tmp_path, synchronised=True) == (["u0", "u2"], ["u0", "u2"])


def damaged_spools(folder: Path) -> list[Path]:
    """Last written in 1970, 40 days ago and yesterday; the second has a log."""
    spools = [folder / f"spool.db.damaged-{number}" for number in (5, 1_000, 2_000)]
    for spool, at_us in zip(spools, (5_000_000, NOW_US - 40 * DAY_US, NOW_US - DAY_US), strict=True):
        for part in (spool, spool.with_name(f"{spool.name}-wal")):
            part.write_bytes(b"canary")
            os.utime(part, (at_us / 1e6, at_us / 1e6))
    return spools


def test_damaged_spools_go_by_the_same_rule(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    spools = damaged_spools(tmp_path)
    left(tmp_path, synchronised=False)
    assert damaged.spools(tmp_path / "spool.db") == spools
    left(tmp_path, synchronised=True)
    assert damaged.spools(tmp_path / "spool.db") == [spools[0], spools[2]]
    assert "1 damaged spools were erased after 30 days" in caplog.text


@pytest.mark.parametrize(
    ("sound_days", "synchronised", "kept"),
    [
        # What was spoken by a clock that nobody had set has no age.
        (7, True, {"u0", "u3"}),
        (60, True, {"u0", "u2", "u3"}),
        (7, False, {"u0", "u1", "u2", "u3"}),
        # It was kept by a setting that is another now.
        (0, True, set()),
        (0, False, set()),
    ],
)
def test_sound_is_kept_as_long_as_is_set_and_no_longer_than_all_else(
    tmp_path: Path, sound_days: int, synchronised: bool, kept: set[str]
) -> None:
    (tmp_path / "sound").mkdir()
    for number, days in enumerate((NOW_US // DAY_US, 40, 20, 1)):
        file = tmp_path / "sound" / f"u{number}.wav"
        file.write_bytes(b"sound")
        os.utime(file, ((NOW_US - days * DAY_US) / 1e6,) * 2)
    left(tmp_path, synchronised=synchronised, sound_days=sound_days)
    assert sounds.ids(tmp_path / "sound") == kept


def test_what_was_said_of_an_answer_goes_with_it(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool.db", Settings(), boot_id="b", coding="c", hop_ms=10) as spool:
        for number, days in enumerate((40, 1)):
            head = utterance(number)[0]
            assert isinstance(head, UtteranceHead)
            entry = spool.begin(msgspec.structs.replace(head, started_at_unix_us=NOW_US - days * DAY_US))
            spool.tell(entry, Kind.FINAL, answer=ANSWER)
            spool.acknowledge(entry)
            # Said today.
            spool.give(Feedback(f"f{number}", f"u{number}", NOW_US))
    left(tmp_path, synchronised=True)
    with Spool(tmp_path / "spool.db", Settings(), boot_id="b", coding="c", hop_ms=10) as spool:
        (one,) = spool.ask(lambda store: store.debts.feedback()).result(WAIT_S)
    assert one.feedback_id == "f1"


def test_by_a_clock_that_is_not_right_nothing_is_too_old(tmp_path: Path) -> None:
    assert left(tmp_path, synchronised=False) == (["u0", "u1", "u2"], ["u0", "u1", "u2"])
