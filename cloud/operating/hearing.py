"""How a board hears, in words: what its owner reads before any plot. Pure."""

import re
from collections.abc import Iterable
from statistics import fmean, median
from typing import Literal, NamedTuple

from cloud.log.summary import Board
from cloud.operating.numbers import number

State = Literal["deaf", "silent", "noisy", "slow", "old", "new", "well"]

ORDER: tuple[State, ...] = ("deaf", "silent", "noisy", "slow", "old", "new", "well")
"""The worst first."""

KNOWN_MIN = 6
"""Utterances of a board before anything is said of it."""
USUAL_MIN = 20
"""Utterances before, by which it is known what is usual."""
EMPTY_SHARE = 0.5
NOISIER_DB = 6.0
"""Twice as loud to the ear, nearly: what a dishwasher or an open window brings."""
NOISIER_DEVIATIONS = 1.5
SLOW_MS = 1500
SILENT_DAYS, SILENT_GAPS = 2.0, 10.0
"""A board is silent after so many days, and so many times its usual pause."""
DAY_US = 86_400_000_000


class Hearing(NamedTuple):
    """Of one board."""

    device_id: str
    state: State
    """The worst that is true of it."""
    words: str
    """Such as "noisier than usual"."""
    why: tuple[str, ...]
    """A sentence for each thing that is true of it; at least one."""
    last_unix_us: int | None
    """When it was heard last; None: never."""

    @property
    def rank(self) -> int:
        """The worst is 0."""
        return ORDER.index(self.state)


def hearing(board: Board, now_unix_us: int, newest_version: str | None) -> Hearing:
    """What is to be said of a board now. `newest_version`: of all boards."""
    last = board.newest[0].at_unix_us if board.newest else None
    found = [
        told
        for told in (
            _deaf(board),
            _silent(board, now_unix_us),
            _noisier(board),
            _slow(board),
            _old(board, newest_version),
        )
        if told is not None
    ]
    if not found:
        found = [_new(board) if len(board.newest) < KNOWN_MIN else _well(board)]
    state, words, _ = found[0]
    return Hearing(board.device_id, state, words, tuple(why for *_, why in found), last)


def never_heard(device_id: str) -> Hearing:
    """A board that enrolled and said nothing yet."""
    return Hearing(device_id, "new", "not heard yet", ("It enrolled, and nothing came of it so far.",), None)


def newest_version(versions: Iterable[str]) -> str | None:
    """The highest of them."""
    return max(versions, key=_numbers, default=None)


_Told = tuple[State, str, str]


def _deaf(board: Board) -> _Told | None:
    empty = sum(heard.was_empty for heard in board.newest)
    if len(board.newest) < KNOWN_MIN or empty < EMPTY_SHARE * len(board.newest):
        return None
    return "deaf", "deaf", f"Of its last {len(board.newest)} utterances {empty} came without a word."


def _silent(board: Board, now_unix_us: int) -> _Told | None:
    if not board.newest:
        return None
    days = (now_unix_us - board.newest[0].at_unix_us) / DAY_US
    first, known = board.usual.since_unix_us, board.usual.known + len(board.newest)
    pause_days = (board.newest[0].at_unix_us - first) / DAY_US / known if first is not None else SILENT_DAYS
    if known < KNOWN_MIN or days < max(SILENT_DAYS, SILENT_GAPS * pause_days):
        return None
    return "silent", f"silent for {days:.0f} days", f"Nothing came for {days:.0f} days; before, {_often(pause_days)}."


def _noisier(board: Board) -> _Told | None:
    now, usual = _noise(board), board.usual
    if now is None or usual.noise_dbfs is None or usual.deviation_db is None or usual.known < USUAL_MIN:
        return None
    more = now - usual.noise_dbfs
    if more < max(NOISIER_DB, NOISIER_DEVIATIONS * usual.deviation_db):
        return None
    sentence = f"Its noise floor is {number(now)} dBFS, {number(more)} dB above the usual {number(usual.noise_dbfs)}."
    return "noisy", "noisier than usual", sentence


def _slow(board: Board) -> _Told | None:
    waits = [
        heard.endpoint_to_final_ms
        for heard in board.newest
        if heard.endpoint_to_final_ms is not None and not heard.replayed
    ]
    if len(waits) < KNOWN_MIN or median(waits) < SLOW_MS:
        return None
    return "slow", "slow", f"Half of its answers take {median(waits) / 1000:.1f} s or more after the end of speech."


def _old(board: Board, newest: str | None) -> _Told | None:
    own = board.edge_version
    if own is None or newest is None or _numbers(own) >= _numbers(newest):
        return None
    return "old", "old version", f"It runs {own}; other boards run {newest}."


def _new(board: Board) -> _Told:
    heard = "1 utterance" if len(board.newest) == 1 else f"{len(board.newest)} utterances"
    return "new", "too new to tell", f"{heard} so far; {KNOWN_MIN} tell more."


def _well(board: Board) -> _Told:
    now, usual = _noise(board), board.usual
    if now is None:
        return "well", "hearing well", "Its answers have words, and come in time."
    than = f", usually {number(usual.noise_dbfs)}" if usual.noise_dbfs is not None and usual.known >= USUAL_MIN else ""
    return "well", "hearing well", f"Its noise floor is {number(now)} dBFS{than}."


def _noise(board: Board) -> float | None:
    floors = [heard.noise_floor_dbfs for heard in board.newest if heard.noise_floor_dbfs is not None]
    return fmean(floors) if len(floors) >= KNOWN_MIN else None


def _often(pause_days: float) -> str:
    a_day = 1 / max(pause_days, 1e-6)
    return f"{a_day:.0f} utterances a day" if a_day >= 1.5 else f"one in {pause_days:.0f} days"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:4]))
