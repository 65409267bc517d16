"""How well a service hears whole sentences: each clip goes the way of a board's speech, and the words are compared.

Both texts are put under the data definition first and then under Whisper's English
normaliser, so that what is counted is words and not how they are written.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import jiwer
from whisper_normalizer.english import EnglishTextNormalizer

from common.errors import DataError
from models.data.clip import Clip
from models.data.manifest import Manifest
from models.errors.outcome import Outcome, outcome
from models.evaluation import service
from models.labels.agreement import Agreement
from models.labels.definition import Definition


class Transcripts(NamedTuple):
    """What a service made of a set."""

    outcomes: tuple[Outcome, ...]
    """By clip; errors and units are words."""
    substitutions: int
    deletions: int
    insertions: int
    wrong: tuple[tuple[str, int, str], ...]
    """Words that were said and not heard: how often, and what was heard most often instead; the worst first."""
    unread: dict[str, str]
    """Clips that were not judged, and why."""

    @property
    def words(self) -> int:
        return round(sum(one.units for one in self.outcomes))

    @property
    def word_error_rate(self) -> float:
        return sum(one.errors for one in self.outcomes) / max(1, self.words)


def evaluate_service(address: str, manifest: Manifest, part: str | None, definition: Definition) -> Transcripts:
    """Of all clips with a text. DataError if there are none, or the command cannot ask."""
    clips = [clip for clip in manifest.clips if clip.text and part in (None, clip.split)]
    if not clips:
        raise DataError(f"{manifest.file}: no clip of it has a text.")
    said: list[tuple[Clip, str]] = []
    unread = manifest.unread
    for clip, heard in zip(clips, service.heard(address, clips, manifest.folder), strict=True):
        if heard.transcript is None:
            unread[clip.path] = heard.fault
        else:
            said.append((clip, heard.transcript))
    if not said:
        path, why = next(iter(unread.items()))
        raise DataError(f"{address} answered nothing; {path}: {why.rstrip('.')}.")
    return judged(said, definition, unread)


def judged(said: Sequence[tuple[Clip, str]], definition: Definition, unread: dict[str, str]) -> Transcripts:
    """Counts, of clips and what was heard in them."""
    agreement = Agreement(definition, [clip.text or "" for clip, _ in said])
    normalise = EnglishTextNormalizer()
    outcomes: list[Outcome] = []
    kinds: Counter[str] = Counter()
    instead: dict[str, Counter[str]] = defaultdict(Counter)
    for clip, text in said:
        truth, found = (normalise(agreement.final(written)) for written in (clip.text or "", text))
        if not truth:
            unread[clip.path] = "has no words in its text"
            continue
        counted = jiwer.process_words(truth, found)
        kinds.update(substitutions=counted.substitutions, deletions=counted.deletions, insertions=counted.insertions)
        for word, other in _missed(counted):
            instead[word][other] += 1
        errors = counted.substitutions + counted.deletions + counted.insertions
        outcomes.append(outcome(clip, truth=truth, said=found, errors=errors, units=len(truth.split())))
    worst = sorted(instead, key=lambda word: (-instead[word].total(), word))
    wrong = tuple((word, instead[word].total(), instead[word].most_common(1)[0][0]) for word in worst)
    return Transcripts(tuple(outcomes), kinds["substitutions"], kinds["deletions"], kinds["insertions"], wrong, unread)


def _missed(counted: jiwer.WordOutput) -> Iterator[tuple[str, str]]:
    """Words that were said and not heard, and what was heard instead: nothing, if they were left out."""
    truth, found = counted.references[0], counted.hypotheses[0]
    for chunk in counted.alignments[0]:
        for number in range(chunk.ref_start_idx, chunk.ref_end_idx):
            if chunk.type == "substitute":
                yield truth[number], found[chunk.hyp_start_idx + number - chunk.ref_start_idx]
            elif chunk.type == "delete":
                yield truth[number], ""
