"""Drift, for the operator's page: alerts that stand, each with what shows it in the utterance log."""

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import datetime
from shlex import quote

from cloud.alerts.alert_sinks import FILE_NAME as ALERTS_FILE
from cloud.alerts.alerts import Alert, AlertBook
from cloud.drift.facts import Facts
from cloud.drift.watch import ALL
from cloud.groups import Groups
from cloud.log.answer_log import FILE_NAME as LOG_FILE
from cloud.log.sample import LogSample, Ranges
from cloud.operating.days import DAYS
from cloud.operating.evidence import evidence, said_of
from cloud.operating.hearing import DAY_US
from cloud.operating.measures import OF_CAUSES
from cloud.operating.seams import Command, Drifted, Plot
from cloud.outcomes.judged import judged
from cloud.settings import CloudSettings
from common.errors import SettingsError
from common.record import Record

OF_GROUP = "Group "
"""What the name of a group's stream begins with; see cloud/drift/watch.py."""
OF_CONCEPT = "concept-"
"""Such causes; see cloud/outcomes/concept.py."""
PLOTTED_MAX = 6
"""Alerts whose days are read, those that were told last."""
READ_MAX = 1000
"""Utterances that one's plots are made of."""
COLLECTED = frozenset({"noise", "gain", "distance", "microphone", "clipping", "echo", "speed", "speakers"})
"""Causes that a model learns to bear by such utterances."""


class StandingAlerts:
    """A Drift: what was told and is not over."""

    def __init__(self, settings: CloudSettings, unix_us: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        """SettingsError if the groups cannot be so."""
        self._record = Record(settings.storage.state_dir / ALERTS_FILE, AlertBook)
        self._log = settings.storage.state_dir / LOG_FILE
        self._groups = Groups(settings.boards.groups)
        self._unix_us = unix_us

    def drifted(self) -> Sequence[Drifted]:
        standing = [one for one in reversed(self._record.read().alerts) if one.state == "standing"]
        plots = self._plots([one for one in standing if one.cause in OF_CAUSES][:PLOTTED_MAX]) if standing else {}
        plots |= self._said([one for one in standing if one.cause.startswith(OF_CONCEPT)])
        return [self._drifted(one, plots.get(one.number, ())) for one in standing]

    def _drifted(self, alert: Alert, plots: Sequence[Plot]) -> Drifted:
        stream = alert.where or ALL
        return Drifted(
            stream,
            self._board(stream),
            alert.sentence,
            alert.began_unix_us,
            alert.since_unix_us,
            tuple(_commands(alert, self._board(stream))),
            plots,
            alert.cause.startswith(OF_CONCEPT),
        )

    def _plots(self, alerts: Sequence[Alert]) -> dict[int, list[Plot]]:
        """By number. What stands is told also where the log cannot be read."""
        now_us, found, read = self._unix_us(), dict[int, list[Plot]](), dict[str, Sequence[Facts]]()
        with suppress(SettingsError, sqlite3.Error), closing(LogSample(self._log)) as sample:
            for one in alerts:
                if one.where not in read:
                    drawn = sample.facts(now_us - DAYS * DAY_US, READ_MAX, self._ranges(one.where))
                    read[one.where] = drawn.facts
                found[one.number] = list(evidence(one.cause, read[one.where], _since_us(one), now_us))
        return found

    def _said(self, alerts: Sequence[Alert]) -> dict[int, list[Plot]]:
        if not alerts:
            return {}
        now_us = self._unix_us()
        try:
            _, answers = judged(self._log.parent, now_us - DAYS * DAY_US)
        except (SettingsError, sqlite3.Error):
            return {}
        return {one.number: list(said_of(one.cause, answers, now_us)) for one in alerts}

    def _board(self, stream: str) -> str | None:
        """Its id; None: it is of several."""
        return None if stream == ALL or self._group(stream) is not None else stream

    def _group(self, stream: str) -> str | None:
        name = stream.removeprefix(OF_GROUP)
        return name if name != stream and name in self._groups else None

    def _ranges(self, stream: str) -> Ranges | None:
        if not stream or stream == ALL:
            return None
        group = self._group(stream)
        return [(stream, f"{stream}\0")] if group is None else self._groups.members(group).ranges


def _since_us(alert: Alert) -> int:
    return alert.began_unix_us if alert.since_unix_us is None else alert.since_unix_us


def _commands(alert: Alert, board: str | None) -> list[Command]:
    day = f"{datetime.fromtimestamp(_since_us(alert) / 1e6):%Y-%m-%d}"
    those = f"{f'--device {quote(board)} ' if board else ''}--since {day}"
    found = [Command("What to do", alert.command)] if alert.command else []
    if alert.cause in COLLECTED:
        found.append(Command("Collect them for training", f"parrotlet-cloud log export {those} since.jsonl"))
    elif alert.cause in OF_CAUSES:
        found.append(Command("Look at what was said", f"parrotlet-cloud log query {those}"))
    else:
        found.append(Command("Find out what is right", "parrotlet-cloud label"))
    found.append(Command("Not so", f"parrotlet-cloud alerts wrong {alert.number}"))
    return found
