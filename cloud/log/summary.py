"""What boards were like lately, out of the utterance log: so much of each is looked at, however much there is.

All of it is read from one index (`facts_of_device`), which has these columns, and not from the table.
"""

from pathlib import Path
from typing import NamedTuple

from cloud.log.reader import devices, read_only

NEWEST, BEFORE = 20, 200
"""Utterances of a board that are now, and of those before, by which it is told what is usual."""

DAYS_ROWS_MAX = 20_000
"""Utterances of one board that its days are made of."""


class Heard(NamedTuple):
    """An utterance in a few numbers; units as in facts.py."""

    at_unix_us: int
    path: str
    replayed: bool
    was_empty: bool
    noise_floor_dbfs: float | None
    snr_db: float | None
    confidence: float | None
    endpoint_to_final_ms: int | None
    edge_version: str | None


class Usual(NamedTuple):
    """What the noise floor was before the newest utterances; of fewer than two there is no deviation."""

    known: int
    """Utterances whose noise floor was measured."""
    noise_dbfs: float | None
    deviation_db: float | None
    since_unix_us: int | None
    """The first of them."""


class Board(NamedTuple):
    """What a board said last, and what was usual before."""

    device_id: str
    newest: list[Heard]
    """The newest first, up to NEWEST."""
    usual: Usual

    @property
    def edge_version(self) -> str | None:
        """As it said last."""
        return self.newest[0].edge_version if self.newest else None


COLUMNS = ", ".join(Heard._fields)


class LogSummary:
    """Must be closed. One thread's."""

    def __init__(self, file: Path) -> None:
        """SettingsError if there is no log, or none of this release."""
        self._database = read_only(file)

    def close(self) -> None:
        self._database.close()

    def boards(self) -> list[Board]:
        """All that said anything, by name."""
        return [self.board(device_id) for device_id in devices(self._database)]

    def board(self, device_id: str) -> Board:
        """One of them."""
        newest = self.heard(device_id, limit=NEWEST)
        return Board(device_id, newest, self._usual(device_id))

    def heard(self, device_id: str, *, limit: int = DAYS_ROWS_MAX, since_unix_us: int = 0) -> list[Heard]:
        """So many of the board's newest utterances, the newest first."""
        found = self._database.execute(
            f"SELECT {COLUMNS} FROM facts INDEXED BY facts_of_device WHERE device_id = ? AND at_unix_us >= ? "
            "ORDER BY at_unix_us DESC LIMIT ?",
            (device_id, since_unix_us, limit),
        )
        return [Heard(at, path, bool(replayed), bool(empty), *rest) for at, path, replayed, empty, *rest in found]

    def versions(self) -> list[str]:
        """What boards said last that they run."""
        told = (self._version(device_id) for device_id in devices(self._database))
        return sorted({version for version in told if version})

    def counts(self, since_unix_us: int) -> tuple[int, int]:
        """Utterances since then, and of how many boards."""
        found = self._database.execute(
            "SELECT COUNT(*), COUNT(DISTINCT device_id) FROM facts WHERE at_unix_us >= ?", (since_unix_us,)
        ).fetchone()
        return int(found[0]), int(found[1])

    def _usual(self, device_id: str) -> Usual:
        count, mean, squares, first = self._database.execute(
            "SELECT COUNT(noise_floor_dbfs), AVG(noise_floor_dbfs), AVG(noise_floor_dbfs * noise_floor_dbfs), "
            "MIN(at_unix_us) FROM (SELECT at_unix_us, noise_floor_dbfs FROM facts INDEXED BY facts_of_device "
            "WHERE device_id = ? AND at_unix_us >= 0 ORDER BY at_unix_us DESC LIMIT ? OFFSET ?)",
            (device_id, BEFORE, NEWEST),
        ).fetchone()
        deviation = None if count < 2 else max(0.0, squares - mean * mean) ** 0.5
        return Usual(count, mean, deviation, first)

    def _version(self, device_id: str) -> str | None:
        found = self._database.execute(
            "SELECT edge_version FROM facts INDEXED BY facts_of_device WHERE device_id = ? AND at_unix_us >= 0 "
            "ORDER BY at_unix_us DESC LIMIT 1",
            (device_id,),
        ).fetchone()
        return None if found is None else found[0]
