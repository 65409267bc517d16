"""How well a service hears whole sentences: each clip goes the way of a board's speech, and the words are compared.

The board's own command asks (`parrotlet-edge test`), with its settings and keys, so that gate, segmenter, frames and
wire are those that run. Both texts are put under the data definition first and then under Whisper's English
normaliser, so that what is counted is words and not how they are written.
"""

import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import jiwer
import msgspec
from whisper_normalizer.english import EnglishTextNormalizer

from common.errors import DataError, InputError
from edge.sound.source import SAMPLE_RATE_HZ
from models.data.clip import Clip
from models.data.manifest import Manifest
from models.data.sound_file import read_clip, write_sound
from models.errors.outcome import Outcome, outcome
from models.labels.agreement import Agreement
from models.labels.definition import Definition

BATCH = 100
"""Clips that one command is given."""
PATIENCE_S = 30 * BATCH


class Line(msgspec.Struct):
    """What is read of a line of the command's JSON."""

    file: str
    transcript: str
    path: str


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


def evaluate_service(service: str, manifest: Manifest, part: str | None, definition: Definition) -> Transcripts:
    """Of all clips with a text. DataError if there are none, or the command cannot ask."""
    clips = [clip for clip in manifest.clips if clip.text and part in (None, clip.split)]
    if not clips:
        raise DataError(f"{manifest.file}: no clip of it has a text.")
    heard: dict[str, str] = {}
    unread = manifest.unread
    with tempfile.TemporaryDirectory() as scratch:
        for start in range(0, len(clips), BATCH):
            files = dict(_files(clips[start : start + BATCH], manifest.folder, Path(scratch), unread))
            heard |= _asked(service, files, unread)
    if not heard:
        path, why = next(iter(unread.items()))
        raise DataError(f"{service} answered nothing; {path}: {why.rstrip('.')}.")
    return judged([(clip, heard[clip.path]) for clip in clips if clip.path in heard], definition, unread)


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


def _files(clips: Sequence[Clip], folder: Path, scratch: Path, unread: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Sound files and the clips they are: a part of a recording becomes a file of its own."""
    for number, clip in enumerate(clips):
        file = clip.file(folder)
        if clip.start_ms is not None or clip.end_ms is not None:
            try:
                file = scratch / f"{number}.flac"
                write_sound(file, read_clip(clip, folder), SAMPLE_RATE_HZ)
            except InputError as error:
                unread[clip.path] = str(error)
                continue
        yield str(file), clip.path


def _asked(service: str, files: dict[str, str], unread: dict[str, str]) -> dict[str, str]:
    """Transcripts by clip; utterances of one clip are joined."""
    command = [sys.executable, "-m", "edge", "test", "--json", "--cloud", service, *files]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired as error:
        raise DataError(f"{service} did not answer {len(files)} clips within {PATIENCE_S} s.") from error
    lines = [msgspec.json.decode(line, type=Line) for line in done.stdout.splitlines()]
    unanswered = {line.file for line in lines if line.path == "none"}
    texts = dict.fromkeys(files.values(), "")
    for line in lines:
        path = files[line.file]
        texts[path] = f"{texts[path]} {line.transcript}".strip()
    complaints = done.stderr.splitlines()
    for file, path in files.items():
        own = next((said for said in complaints if said.startswith(f"{file}: ")), None)
        if own is not None or file in unanswered or (done.returncode and not lines):
            unread[path] = own or (complaints[-1] if complaints else "was not answered")
            del texts[path]
    return texts
