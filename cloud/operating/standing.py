"""Drift, for the operator's page: alerts that stand, each with what shows it in the utterance log."""

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import datetime
from typing import NamedTuple

from cloud.alerts.alerts import FILE_NAME as ALERTS_FILE
from cloud.alerts.alerts import USUAL, Alert, AlertBook, Opinion
from cloud.alerts.what_to_type import OF_CONCEPT, what_for, what_to_type
from cloud.drift.facts import Facts
from cloud.drift.watch import ALL
from cloud.groups import Groups
from cloud.log.answer_log import FILE_NAME as LOG_FILE
from cloud.log.sample import LogSample, Ranges
from cloud.operating.days import DAYS
from cloud.operating.evidence import divided, evidence, said_of
from cloud.operating.hearing import DAY_US
from cloud.operating.kept import Kept
from cloud.operating.measures import OF_CAUSES
from cloud.operating.seams import Command, Drifted, Plot
from cloud.outcomes.came_of_it import came_of_it
from cloud.outcomes.judged import judged, labelled
from cloud.settings import CloudSettings
from common.errors import SettingsError
from common.record import Record

OF_GROUP = "Group "
"""What the name of a group's stream begins with; see cloud/drift/watch.py."""
PLOTTED_MAX = 6
"""Alerts whose days are read, those that were told last."""
READ_MAX = 500
"""Utterances that one's plots are made of."""


class StandingAlerts:
    """A Drift: what was told and is not over."""

    def __init__(self, settings: CloudSettings, unix_us: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        """SettingsError if the groups cannot be so."""
        self._record = Record(settings.storage.state_dir / ALERTS_FILE, AlertBook)
        self._log = settings.storage.state_dir / LOG_FILE
        self._kept = Kept(self._log)
        self._groups = Groups(settings.boards.groups)
        self._unix_us = unix_us

    def drifted(self) -> Sequence[Drifted]:
        standing = [one for one in reversed(self._record.read().alerts) if one.state == "standing"]
        shown = self._shown(standing)
        return [self._drifted(one, shown.get(one.number, _NOTHING)) for one in standing]

    def _drifted(self, alert: Alert, shown: "_Shown") -> Drifted:
        stream = alert.where or ALL
        return Drifted(
            stream,
            self._board(stream),
            alert.sentence,
            alert.began_unix_us,
            alert.since_unix_us,
            tuple(_commands(alert)),
            shown.plots,
            alert.cause.startswith(OF_CONCEPT),
            tuple(map(_thought, reversed(alert.before))),
            shown.came_of_it,
        )

    def _shown(self, alerts: Sequence[Alert]) -> "dict[int, _Shown]":
        """What shows each, by number. What stands is told also where the log cannot be read."""
        of_sound = [one for one in alerts if one.cause in OF_CAUSES][:PLOTTED_MAX]
        of_answers = [one for one in alerts if one.cause.startswith(OF_CONCEPT)]
        key = tuple(one.number for one in (*of_sound, *of_answers))
        with suppress(SettingsError, sqlite3.Error):
            return self._kept.get(key, lambda: self._plots(of_sound) | self._said(of_answers)) if key else {}
        return {}

    def _plots(self, alerts: Sequence[Alert]) -> "dict[int, _Shown]":
        now_us, found, read = self._unix_us(), dict[int, _Shown](), dict[str, Sequence[Facts]]()
        labels = labelled(self._log.parent, now_us - DAYS * DAY_US) if alerts else []
        with closing(LogSample(self._log)) as sample:
            for one in alerts:
                stream = one.where or ALL
                if stream not in read:
                    read[stream] = sample.facts(now_us - DAYS * DAY_US, READ_MAX, self._ranges(stream)).facts
                since_us = _since_us(one)
                came = came_of_it(labels, *divided(read[stream], since_us))
                found[one.number] = _Shown(list(evidence(one.cause, read[stream], since_us, now_us, one.moved)), came)
        return found

    def _said(self, alerts: Sequence[Alert]) -> "dict[int, _Shown]":
        if not alerts:
            return {}
        now_us = self._unix_us()
        _, answers = judged(self._log.parent, now_us - DAYS * DAY_US)
        return {one.number: _Shown(list(said_of(one.cause, answers, now_us))) for one in alerts}

    def _board(self, stream: str) -> str | None:
        """Its id; None: it is of several."""
        return None if stream == ALL or self._group(stream) is not None else stream

    def _group(self, stream: str) -> str | None:
        name = stream.removeprefix(OF_GROUP)
        return name if name != stream and name in self._groups else None

    def _ranges(self, stream: str) -> Ranges | None:
        if stream == ALL:
            return None
        group = self._group(stream)
        return [(stream, f"{stream}\0")] if group is None else self._groups.members(group).ranges


class _Shown(NamedTuple):
    """Of an alert, from the log."""

    plots: Sequence[Plot] = ()
    came_of_it: str = ""


_NOTHING = _Shown()


def _thought(opinion: Opinion) -> str:
    until = datetime.fromtimestamp(opinion.until_unix_us / 1e6)
    return f"Until {until:%Y-%m-%d %H:%M}: {opinion.sentence}"


def _since_us(alert: Alert) -> int:
    return alert.began_unix_us if alert.since_unix_us is None else alert.since_unix_us


def _commands(alert: Alert) -> list[Command]:
    # One that was told by an older release has none.
    command = alert.command or what_to_type(alert.cause, alert.where, _since_us(alert))
    found = [Command(what_for(alert.cause), command)]
    if alert.line == USUAL:
        found.append(Command("It is to stay so", f"parrotlet-cloud alerts accept {alert.number}"))
    return [*found, Command("Not so", f"parrotlet-cloud alerts wrong {alert.number}")]
