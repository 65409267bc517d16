"""Between the utterance log and who labels: draws from what was answered since, hands out what waits, keeps labels."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from cloud.labelling.label_queue import LabelQueue, State
from cloud.labelling.label_session import Shown
from cloud.labelling.labelling import Candidate, uncertainty
from cloud.log.answer_store import AnswerStore, FeedbackRow, Key, Logged
from cloud.outcomes.outcome import said_of
from protos import speech_pb2

PICKED_MAX = 20
"""Of those with certain words, the newest."""
SOUND_SUFFIXES = (".flac", ".wav")


class LabelDesk:
    """One command's."""

    def __init__(
        self, store: AnswerStore, queue: LabelQueue, labels_a_day: float, feedback_max: int, sound: Path | None = None
    ) -> None:
        """`sound`: a folder of kept sound."""
        self._store = store
        self._queue = queue
        self._labels_a_day = labels_a_day
        self._feedback_max = feedback_max
        self._sound = sound

    def draw(self, now_unix_us: int) -> int:
        """Draws of what was answered since it last did; how many."""
        since, batch, keys, last = self._queue.drawn_until_unix_us, [], set(), 0
        for logged in self._store.everything():
            keys.add((logged.key.device_id, logged.key.utterance_id))
            at_unix_us = _answered_at_unix_us(logged)
            if logged.final is None or at_unix_us <= since:
                continue
            final = speech_pb2.Final.FromString(logged.final)
            unsure = uncertainty(
                final.confidence if final.HasField("confidence") else None,
                was_empty=not final.transcript,
                asked_back=bool(final.choices) and not final.HasField("intent"),
            )
            batch.append(Candidate(logged.key.device_id, logged.key.utterance_id, unsure))
            last = max(last, at_unix_us)
        self._queue.keep_only(keys)
        return self._queue.draw(batch, self._labels_a_day, max(since, last), now_unix_us) if batch else 0

    def waiting(self) -> list[Shown]:
        """What waits for a label; what was skipped comes last."""
        wanted = [*self._queue.of_state("waiting"), *self._queue.of_state("skipped")]
        order = {Key(one.device_id, one.utterance_id): place for place, one in enumerate(wanted)}
        found = [one for one in self._store.everything() if one.key in order and one.final is not None]
        return [self._shown(one) for one in sorted(found, key=lambda one: order[one.key])]

    def with_words(self, words: str) -> list[Shown]:
        """The newest with these words that nobody labelled, which are picked."""
        found: list[Shown] = []
        for logged in self._store.everything():
            if logged.final is None:
                continue
            shown = self._shown(logged)
            if words.lower() in shown.final.transcript.lower() and not any(one.is_label for one in shown.said):
                found = [*found[-PICKED_MAX + 1 :], shown]
        for one in found:
            self._queue.pick(*one.key)
        return found

    def take(self, shown: Shown, label: speech_pb2.FeedbackRequest, labeller: str, now_unix_us: int) -> None:
        """Keeps a label; the utterance waits no longer."""
        row = FeedbackRow(shown.key, label.feedback_id, label.given_at_unix_us, now_unix_us, label.SerializeToString())
        self._store.give(row, self._feedback_max)
        self.settle(shown, "labelled", labeller, now_unix_us)

    def settle(self, shown: Shown, state: State, labeller: str, now_unix_us: int) -> None:
        """What became of it without a label, or with."""
        self._queue.settle(*shown.key, state, labeller, now_unix_us)

    def summary(self) -> Iterator[str]:
        """How many are in which state, and who labelled."""
        states: tuple[State, ...] = ("waiting", "labelled", "unclear", "skipped")
        for state in states:
            those = self._queue.of_state(state)
            by = sorted({one.labeller for one in those if one.labeller is not None})
            yield f"{state:<9} {len(those)}{' by ' + ', '.join(by) if by else ''}"

    def _shown(self, logged: Logged) -> Shown:
        said = said_of(speech_pb2.FeedbackRequest.FromString(request) for request in logged.feedback)
        at_unix_us = logged.spoken_at_unix_us or _answered_at_unix_us(logged)
        when = datetime.fromtimestamp(at_unix_us / 1e6).astimezone().strftime("%Y-%m-%d %H:%M")
        final = speech_pb2.Final.FromString(logged.final or b"")
        return Shown(logged.key, when, final, said, self._sound_of(logged.key))

    def _sound_of(self, key: Key) -> str | None:
        if self._sound is None:
            return None
        files = (self._sound / (key.utterance_id + suffix) for suffix in SOUND_SUFFIXES)
        return next((str(file) for file in files if file.is_file()), None)


def _answered_at_unix_us(logged: Logged) -> int:
    if logged.answered_at is None:
        return logged.spoken_at_unix_us or 0
    return round(datetime.fromisoformat(logged.answered_at).timestamp() * 1e6)
