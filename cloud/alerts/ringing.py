"""What is found becomes alerts, and these are told: one thread's, which may wait for whoever is told."""

import logging
import math
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from cloud.alerts.alert_sinks import Sink, deliver
from cloud.alerts.alerts import FILE_NAME, USUAL, AlertBook, end, has_ending, recover, report
from cloud.alerts.erasing import HasBoard, IsSaid, erase_boards, erase_words, is_of_gone
from cloud.alerts.what_to_type import what_to_type
from cloud.drift.finding import Finding
from cloud.outcomes.concept import Over
from cloud.outcomes.outcome_watch import Change
from common.record import Record

logger = logging.getLogger(__name__)

WORDS = "words"
"""Such a cause; see cloud/drift/causes/words.py."""
UNKNOWN = "unknown"
"""Such a cause; its numbers are of the features that it names."""
ERASE_S = 60.0
"""A full log loses answers all the time, and looking for words in it takes a tenth of a second."""
TRY_S = 30.0
"""How often somebody who could not be told is tried again."""


class Ringing:
    """The alerts of a service."""

    def __init__(
        self,
        state_dir: Path,
        sinks: Sequence[Sink],
        monotonic_s: Callable[[], float] = time.monotonic,
        unix_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        *,
        knows_word: Callable[[str], bool] = lambda word: False,
    ) -> None:
        """`knows_word`: whether the domain does now."""
        self._record = Record(state_dir / FILE_NAME, AlertBook)
        self._sinks = sinks
        self._monotonic_s = monotonic_s
        self._unix_us = unix_us
        self._knows_word = knows_word
        self._again_s = monotonic_s()
        self._faults: list[str] = []
        self._left: tuple[IsSaid, HasBoard] | None = None
        """Are to be asked, as something was erased."""
        self._erased_s = -math.inf

    def take(self, found: Sequence[Finding]) -> None:
        """Puts down what was found; `look` tells it. IdentityError if it cannot be."""
        now_us = self._unix_us()
        with self._record.change() as book:
            for finding in found:
                cause, where, line = finding.cause.name, finding.stream, "" if finding.is_word else USUAL
                if finding.kind == "changed":
                    said = [word for word, _ in finding.change.new_words]
                    sentence = f"{finding.cause.sentence} {finding.cause.advice}"
                    since_us = finding.change.began_at_unix_us
                    report(
                        book,
                        cause,
                        where,
                        sentence,
                        now_us,
                        command=what_to_type(cause, where, now_us if since_us is None else since_us),
                        since_unix_us=since_us,
                        line=line,
                        words=said,
                        moved=finding.cause.numbers if cause == UNKNOWN else (),
                    )
                else:
                    recover(book, cause, where, now_us, line=line)

    def take_outcomes(self, found: Iterable[Change]) -> None:
        """The same, of what is right; from any thread. IdentityError."""
        now_us = self._unix_us()
        with self._record.change() as book:
            for one in found:
                if isinstance(one, Over):
                    recover(book, one.concept.cause, "", now_us)
                else:
                    sentence, since_us = one.sentence(), one.since_unix_us
                    command = what_to_type(one.cause, "", now_us if since_us is None else since_us, one.words)
                    report(
                        book,
                        one.cause,
                        "",
                        sentence,
                        now_us,
                        command=command,
                        since_unix_us=since_us,
                        words=one.words,
                    )

    def erase(self, is_said: IsSaid, has_board: HasBoard) -> None:
        """Of what people said nothing is left in alerts that is in the log no more, nor of boards: now, or by a look
        within ERASE_S. IdentityError."""
        self._left = is_said, has_board
        self._erase()

    def accepted(self) -> Sequence[str]:
        """Streams of which somebody said that what is now is to stay."""
        return self._record.read().accepted

    def was_accepted(self, streams: Sequence[str]) -> None:
        """It is known, and kept. IdentityError."""
        with self._record.change() as book:
            book.accepted = [stream for stream in book.accepted if stream not in streams]

    def look(self) -> None:
        """Tells what waits; who could not be told is tried again after a while. IdentityError."""
        self._erase()
        self._learn()
        if has_ending(self._record.read(), self._unix_us()):
            with self._record.change() as book:
                end(book, self._unix_us())
        if not self._record.read().waiting or (self._faults and self._monotonic_s() < self._again_s):
            return
        faults = deliver(self._record, self._sinks)
        self._again_s = self._monotonic_s() + TRY_S
        for fault in faults:
            if fault not in self._faults:
                logger.warning("an alert is not told yet: %s", fault)
        self._faults = faults

    def _learn(self) -> None:
        """New words that the domain knows by now are none."""
        standing = [one for one in self._record.read().alerts if one.state == "standing" and one.cause == WORDS]
        known = [one for one in standing if not one.line and one.words and all(map(self._knows_word, one.words))]
        if known:
            with self._record.change() as book:
                for one in known:
                    named = ", ".join(f"“{word}”" for word in one.words)
                    recover(book, WORDS, one.where, self._unix_us(), f"The domain knows {named} now.")

    def _erase(self) -> None:
        if self._left is None or self._monotonic_s() - self._erased_s < ERASE_S:
            return
        (is_said, has_board), self._left = self._left, None
        self._erased_s = self._monotonic_s()
        if any(alert.words or is_of_gone(alert, has_board) for alert in self._record.read().alerts):
            with self._record.change() as book:
                erase_words(book, is_said, self._unix_us())
                erase_boards(book, has_board, self._unix_us())
