"""All boards at a glance, the worst first."""

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from cloud.keys.boards import Boards
from cloud.log.summary import Board, LogSummary
from cloud.operating.hearing import DAY_US, KNOWN_MIN, ORDER, Hearing, hearing, never_heard, newest_version

NAMES = {
    "deaf": "deaf",
    "silent": "silent",
    "noisy": "noisier than usual",
    "slow": "slow",
    "old": "old version",
    "new": "too new to tell",
    "well": "hearing well",
}


SHOWN = 100
"""Boards of a page, where not all are asked for."""


class Line(NamedTuple):
    """Of a board in the list."""

    hearing: Hearing
    noise_dbfs: float | None
    snr_db: float | None
    empty_share: float | None
    final_ms: float | None
    version: str | None


class Count(NamedTuple):
    """How many boards are so."""

    state: str
    name: str
    boards: int


def fleet(log: Path, boards_file: Path, now_unix_us: int, *, state: str, find: str, is_all: bool) -> dict[str, Any]:
    """The page's values; `state` and `find` (part of a name) choose among the boards where they are given. Not
    `is_all`: the worst of them, up to SHOWN."""
    with closing(LogSummary(log)) as summary:
        boards = summary.boards()
        utterances, speaking = summary.counts(now_unix_us - DAY_US)
    newest = newest_version(board.edge_version for board in boards if board.edge_version)
    lines = [_line(board, now_unix_us, newest) for board in boards]
    silent = sorted(set(_enrolled(boards_file)) - {board.device_id for board in boards})
    lines += [Line(never_heard(device_id), None, None, None, None, None) for device_id in silent]
    lines.sort(key=lambda line: (line.hearing.rank, _natural(line.hearing.device_id)))
    chosen = [
        line for line in lines if state in ("", line.hearing.state) and find.lower() in line.hearing.device_id.lower()
    ]
    return {
        "counts": _counts(lines),
        "boards": len(lines),
        "ill": sum(line.hearing.state not in ("well", "new") for line in lines),
        "lines": chosen if is_all else chosen[:SHOWN],
        "chosen": len(chosen),
        "state": state,
        "find": find,
        "utterances": utterances,
        "speaking": speaking,
    }


def _line(board: Board, now_unix_us: int, newest: str | None) -> Line:
    heard = board.newest
    return Line(
        hearing(board, now_unix_us, newest),
        _mean([each.noise_floor_dbfs for each in heard]),
        _mean([each.snr_db for each in heard]),
        sum(each.was_empty for each in heard) / len(heard) if len(heard) >= KNOWN_MIN else None,
        _mean([each.endpoint_to_final_ms for each in heard if not each.replayed]),
        board.edge_version,
    )


def _counts(lines: Sequence[Line]) -> list[Count]:
    found = Counter(line.hearing.state for line in lines)
    return [Count(state, NAMES[state], found[state]) for state in ORDER if found[state]]


def _enrolled(file: Path) -> list[str]:
    return [device_id for device_id, board in Boards(file).all().items() if not board.revoked]


def _natural(name: str) -> list[tuple[str, int]]:
    """Puts board-2 before board-10."""
    return [(text, int(digits or 0)) for text, digits in re.findall(r"(\D*)(\d*)", name)]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
