"""An even sample of the utterance log, for who wants to know what many were like and cannot read them all.

However much there is, about so many are read: every second one, every third, of all boards or of some.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cloud.drift.facts import Facts
from cloud.log import facts_table
from cloud.log.answer_store import FACTS
from cloud.log.reader import Logged, read_only
from protos import speech_pb2

Ranges = Sequence[tuple[str, str]]
"""Boards: those from the first of each up to the second, as Members of cloud/groups.py has them."""

_LOGGED = (
    f"SELECT facts.number, answers.utterance_id, final, {facts_table.WITHOUT_BANDS} FROM facts "
    "JOIN answers USING (number)"
)


class Drawn(NamedTuple):
    """Facts of some of the utterances, in order of time."""

    facts: list[Facts]
    stride: int
    """Each stands for so many."""


class DrawnAnswers(NamedTuple):
    """The same without bands, with what was answered, and what its board was asked next, soon after."""

    answers: list[tuple[Logged, Logged | None]]
    stride: int


class LogSample:
    """Must be closed. One thread's."""

    def __init__(self, file: Path) -> None:
        """SettingsError if there is no log, or none of this release."""
        self._database = read_only(file)

    def close(self) -> None:
        self._database.close()

    def facts(self, since_unix_us: int, most: int, boards: Ranges | None = None) -> Drawn:
        """About so many of those since then."""
        numbers, stride = self._drawn(since_unix_us, most, boards)
        found = self._database.execute(
            f"SELECT answers.utterance_id, {FACTS} FROM facts JOIN answers USING (number) "
            f"WHERE facts.number IN ({_listed(numbers)})"
        )
        facts = [facts_table.facts(utterance_id, values) for utterance_id, *values in found]
        return Drawn(sorted(facts, key=lambda one: one.at_unix_us or 0), stride)

    def answers(self, since_unix_us: int, most: int, next_within_us: int) -> DrawnAnswers:
        """The same with answers; nothing of what was said of them."""
        numbers, stride = self._drawn(since_unix_us, most, None)
        # By the boards' index.
        follows = dict(
            self._database.execute(
                "SELECT one.number, (SELECT number FROM facts INDEXED BY facts_of_device WHERE "
                "device_id = one.device_id AND at_unix_us > one.at_unix_us AND at_unix_us <= one.at_unix_us + ? "
                f"ORDER BY at_unix_us LIMIT 1) FROM facts AS one WHERE number IN ({_listed(numbers)})",
                (next_within_us,),
            ).fetchall()
        )
        others = {number for number in follows.values() if number is not None}
        logged = {one.number: one for one in self._logged([*numbers, *others.difference(numbers)])}
        return DrawnAnswers([(logged[number], logged.get(follows[number])) for number in numbers], stride)

    def said(self, since_unix_us: int, most: int) -> list[Logged]:
        """So many of the answers since then of which somebody said something, those of the newest words; in order,
        without bands."""
        found = self._database.execute(
            "SELECT facts.number, request FROM feedback JOIN answers USING (device_id, utterance_id) "
            "JOIN facts ON facts.number = answers.number WHERE facts.at_unix_us >= ? "
            "ORDER BY feedback.number DESC LIMIT ?",
            (since_unix_us, most),
        ).fetchall()
        requests: dict[int, list[speech_pb2.FeedbackRequest]] = {}
        for number, request in reversed(found):
            requests.setdefault(number, []).append(speech_pb2.FeedbackRequest.FromString(request))
        return [one._replace(feedback=requests[one.number]) for one in self._logged(sorted(requests))]

    def _logged(self, numbers: Sequence[int]) -> list[Logged]:
        found = self._database.execute(f"{_LOGGED} WHERE facts.number IN ({_listed(sorted(numbers))})")
        return [
            Logged(number, facts_table.facts(utterance_id, values), speech_pb2.Final.FromString(final), [])
            for number, utterance_id, final, *values in found
        ]

    def _drawn(self, since_unix_us: int, most: int, boards: Ranges | None) -> tuple[list[int], int]:
        """Numbers in order, from an index alone: of what is not drawn nothing is read."""
        where, values = "at_unix_us >= ?", list[Any]([since_unix_us])
        if boards is not None:
            where += f" AND ({' OR '.join('(device_id >= ? AND device_id < ?)' for _ in boards) or 'FALSE'})"
            values += [name for pair in boards for name in pair]
        ((count,),) = self._database.execute(f"SELECT COUNT(*) FROM facts WHERE {where}", values)
        stride = max(1, -(-int(count) // most))
        numbers = self._database.execute(
            f"SELECT number FROM facts WHERE {where} AND number % ? = 0 ORDER BY number", [*values, stride]
        )
        return [number for (number,) in numbers], stride


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
