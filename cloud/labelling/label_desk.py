"""Between the utterance log and who labels: draws from what was answered since, hands out what waits, keeps labels."""

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path

from cloud.labelling.label_queue import LabelQueue, State, Waiting
from cloud.labelling.label_session import Shown
from cloud.labelling.labelling import Candidate, uncertainty
from cloud.log.answer_store import AnswerStore, FeedbackRow, Key
from cloud.log.reader import LogReader
from cloud.outcomes.error_rate import Label, by_labels, wanted
from cloud.outcomes.outcome import Answered, outcome, said_of
from protos import speech_pb2

PICKED_MAX = 20
"""Of those with certain words, the newest."""
KNOWN_WITHIN = 0.05
"""Of either side, as a share of all answers: then nobody need label for the rate's sake."""
LABELS_MAX = 300
"""The newest, by which the rate is told: of what is long ago somebody else may have been right."""
ANSWERS = 100_000
"""That the rate is told of, those to come among them: a few that are all labelled tell little of the rest."""
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
        self._queue.keep_only(self._reader.has)
        return self._queue.draw(batch, self._labels_a_day, last, now_unix_us) if batch else 0

    def waiting(self, limit: int | None = None) -> list[Shown]:
        """What waits for a label, so many; what was skipped comes last."""
        those = chain(self._queue.of_state("waiting"), self._queue.of_state("skipped"))
        there = (shown for one in those if (shown := self._shown(one)) is not None)
        return list(islice(there, limit))

    def needs(self) -> str:
        """How many are wrong by the labels so far, and how many more the estimate wants: a sentence."""
        labels = self._labels()
        more = wanted(labels, KNOWN_WITHIN)
        points = f"{100 * KNOWN_WITHIN:.0f} points"
        if not labels:
            return f"Nobody has labelled yet: {more} labels tell the share of wrong answers to within {points}."
        rate = by_labels(labels, ANSWERS)
        told = f"{len(labels)} {'label' if len(labels) == 1 else 'labels'}: {rate} of answers are wrong."
        return f"{told} {more} more tell it to within {points}." if more else f"{told} That is known well enough."

    def with_words(self, words: str) -> list[Shown]:
        """The newest with these words that nobody labelled, which are picked."""
        found: deque[Key] = deque(maxlen=PICKED_MAX)
        for one in self._reader.finals():
            if words.lower() in one.final.transcript.lower() and not self._is_labelled(one.key):
                found.append(one.key)
        for key in found:
            self._queue.pick(*key)
        return [shown for key in found if (shown := self.shown(*key)) is not None]

    def shown(self, device_id: str, utterance_id: str) -> Shown | None:
        """One that was chosen, whatever became of it; None: it was not, or is in the log no more."""
        chosen = self._queue.one(device_id, utterance_id)
        return None if chosen is None else self._shown(chosen)

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

    def _shown(self, chosen: Waiting) -> Shown | None:
        whole = self._reader.one(chosen.utterance_id, chosen.device_id)
        if whole is None:
            return None
        at = datetime.fromisoformat(whole.answered_at)
        if whole.facts is not None and whole.facts.at_unix_us is not None:
            at = datetime.fromtimestamp(whole.facts.at_unix_us / 1e6, UTC)
        when = at.astimezone().strftime("%Y-%m-%d %H:%M")
        why = _why(chosen, whole.final)
        return Shown(whole.key, when, whole.final, said_of(whole.feedback), self._sound_of(whole.key), why)

    def _is_labelled(self, key: Key) -> bool:
        whole = self._reader.one(key.utterance_id, key.device_id)
        return whole is not None and any(said.is_label for said in said_of(whole.feedback))

    def _labels(self) -> list[Label]:
        """The newest of what was drawn by chance and labelled."""
        labelled = self._queue.of_state("labelled")
        drawn = [(one, one.probability) for one in labelled if one.probability is not None]
        found = []
        for one, probability in drawn[-LABELS_MAX:]:
            whole = self._reader.one(one.utterance_id, one.device_id)
            if whole is None:
                continue
            answered = Answered(whole.final.transcript, [result.id for result in whole.final.results])
            known = outcome(answered, [said for said in said_of(whole.feedback) if said.is_label])
            if known is not None:
                found.append(Label(0, known.wrong, probability))
        return found

    def _sound_of(self, key: Key) -> str | None:
        if self._sound is None:
            return None
        files = (self._sound / (key.utterance_id + suffix) for suffix in SOUND_SUFFIXES)
        return next((str(file) for file in files if file.is_file()), None)


def _why(chosen: Waiting, final: speech_pb2.Final) -> str:
    """An utterance was chosen."""
    if chosen.probability is None:
        return "somebody asked for its words"
    if not chosen.is_unsure:
        among = round(1 / chosen.probability)
        return (
            f"drawn {f'by chance, one of {among}' if among > 1 else 'as nearly all were'}, so that rates hold for all"
        )
    if not final.transcript:
        return "no word was heard in it"
    if final.choices and not final.HasField("intent"):
        return "the service had to ask what was meant"
    if final.HasField("confidence"):
        return f"the service was {100 * final.confidence:.0f} % sure"
    return "the service cannot say how sure it was"
