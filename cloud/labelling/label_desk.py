"""Between the utterance log and who labels: draws from what was answered since, hands out what waits, keeps labels."""

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cloud.labelling.label_queue import LabelQueue, State
from cloud.labelling.label_session import Shown
from cloud.labelling.labelling import Candidate, uncertainty
from cloud.log.answer_store import AnswerStore, FeedbackRow, Key
from cloud.log.reader import LogReader
from cloud.outcomes.outcome import said_of
from protos import speech_pb2

PICKED_MAX = 20
"""Of those with certain words, the newest."""
SOUND_SUFFIXES = (".flac", ".wav")


class LabelDesk:
    """One command's."""

    def __init__(
        self,
        store: AnswerStore,
        reader: LogReader,
        queue: LabelQueue,
        labels_a_day: float,
        feedback_max: int,
        sound: Path | None = None,
    ) -> None:
        """`store` and `reader` of the same log. `sound`: a folder of kept sound."""
        self._store = store
        self._reader = reader
        self._queue = queue
        self._labels_a_day = labels_a_day
        self._feedback_max = feedback_max
        self._sound = sound

    def draw(self, now_unix_us: int) -> int:
        """Draws of what was answered since it last did; how many."""
        batch, last = [], 0
        for key, answered_at_unix_us, final in self._reader.finals(self._queue.drawn_until_unix_us):
            unsure = uncertainty(
                final.confidence if final.HasField("confidence") else None,
                was_empty=not final.transcript,
                asked_back=bool(final.choices) and not final.HasField("intent"),
            )
            batch.append(Candidate(*key, unsure))
            last = max(last, answered_at_unix_us)
        self._queue.keep_only(self._reader.keys())
        return self._queue.draw(batch, self._labels_a_day, last, now_unix_us) if batch else 0

    def waiting(self) -> list[Shown]:
        """What waits for a label; what was skipped comes last."""
        wanted = [*self._queue.of_state("waiting"), *self._queue.of_state("skipped")]
        return [shown for one in wanted if (shown := self.shown(one.device_id, one.utterance_id)) is not None]

    def with_words(self, words: str) -> list[Shown]:
        """The newest with these words that nobody labelled, which are picked."""
        found: deque[Shown] = deque(maxlen=PICKED_MAX)
        for one in self._reader.finals():
            if words.lower() not in one.final.transcript.lower() or (shown := self.shown(*one.key)) is None:
                continue
            if not any(said.is_label for said in shown.said):
                found.append(shown)
        for shown in found:
            self._queue.pick(*shown.key)
        return list(found)

    def shown(self, device_id: str, utterance_id: str) -> Shown | None:
        """That utterance; None: it is not in the log any more."""
        whole = self._reader.one(utterance_id, device_id)
        if whole is None:
            return None
        at = datetime.fromisoformat(whole.answered_at)
        if whole.facts is not None and whole.facts.at_unix_us is not None:
            at = datetime.fromtimestamp(whole.facts.at_unix_us / 1e6, UTC)
        when = at.astimezone().strftime("%Y-%m-%d %H:%M")
        return Shown(whole.key, when, whole.final, said_of(whole.feedback), self._sound_of(whole.key))

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

    def _sound_of(self, key: Key) -> str | None:
        if self._sound is None:
            return None
        files = (self._sound / (key.utterance_id + suffix) for suffix in SOUND_SUFFIXES)
        return next((str(file) for file in files if file.is_file()), None)
