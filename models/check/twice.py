"""Checks of what is there twice: the same sound or words in two ways, or on both sides of a split."""

from collections import Counter, defaultdict
from collections.abc import Iterator

import msgspec

from models.check.progress import watched
from models.data.leaks import leaks, sounds
from models.data.manifest import Entry, Manifest
from models.finding import Finding, Severity
from models.labels.agreement import Agreement, agreement_on
from models.labels.definition import Definition
from models.labels.duplicates import groups, near_duplicates
from models.labels.writing import words


def check_same_words(manifest: Manifest, definition: Definition) -> Iterator[Finding]:
    """Labels of the same words that the agreement leaves different: "Stop." and "Stop!"."""
    agreement = agreement_on(manifest, definition)
    # A label that waits for a person is named already.
    entries = [
        entry
        for entry in manifest.entries
        if entry.clip.text and all(step.after is not None for step in agreement.steps(entry.clip.text))
    ]
    meant = [agreement.meant(entry.clip.text or "") for entry in watched(entries)]
    for places in groups(" ".join(words(text)) for text in meant).values():
        ways = Counter(meant[place] for place in places)
        if len(ways) < 2:
            continue
        usual, _ = ways.most_common(1)[0]
        first = entries[next(place for place in places if meant[place] == usual)]
        for line, clip in (entries[place] for place in places if meant[place] != usual):
            sentence = f'The same words are written "{first.clip.text}" in line {first.line}.'
            yield Finding(
                kind="same_words",
                severity=Severity.WARNING,
                line=line,
                path=clip.path,
                sentence=sentence,
                before=clip.text,
            )


def check_near_duplicates(manifest: Manifest, definition: Definition) -> Iterator[Finding]:
    """Sentences of one split that are nearly those of another. Synthetic speech is many voices of few texts."""
    agreement = agreement_on(manifest, definition)
    entries = [entry for entry in manifest.entries if entry.clip.text and entry.clip.split]
    spoken = [words(agreement.meant(entry.clip.text or "")) for entry in watched(entries)]
    splits = [entry.clip.split for entry in entries]
    shared = Counter(map(tuple, spoken))
    by_many = 0
    for first, second in near_duplicates(spoken, splits):
        one, other = entries[first], entries[second]
        if spoken[first] == spoken[second] and shared[tuple(spoken[first])] > 2:
            by_many += 1
            continue
        same = "the same words as" if spoken[first] == spoken[second] else "nearly the words of"
        yield Finding(
            kind="near_duplicates",
            severity=Severity.WARNING,
            line=other.line,
            path=other.clip.path,
            sentence=f"In {other.clip.split}, and {same} line {one.line} in {one.clip.split}: {one.clip.text}",
        )
    if by_many:
        sentence = f"{by_many} sentences are spoken in several splits: right for prompts that many read, else a leak."
        yield Finding(kind="near_duplicates", severity=Severity.NOTE, sentence=sentence)


def check_leaks(manifest: Manifest, definition: Definition) -> Iterator[Finding]:
    """Speakers in two splits, and clips that were mixed from one of another split. The same sound is another check's,
    which also tells two texts of it."""
    for found in leaks(manifest.entries, None):
        sentence = f"{found.sentence[0].upper()}{found.sentence[1:]}"
        yield msgspec.structs.replace(found, kind="leaks", sentence=sentence)


def check_same_audio(manifest: Manifest, definition: Definition) -> Iterator[Finding]:
    """Sound files that are not there, and the same sound under two names: with two texts, or in two splits."""
    by_sound: defaultdict[object, list[Entry]] = defaultdict(list)
    heard = sounds(manifest.entries, manifest.folder)
    for _, (entry, sound) in zip(watched(manifest.entries), heard, strict=True):
        by_sound[sound].append(entry)
    yield from _missing(by_sound.pop(None, []), len(manifest.entries))
    agreement = agreement_on(manifest, definition)
    for same in by_sound.values():
        yield from (_compared(same[0], other, agreement) for other in same[1:])


def _missing(entries: list[Entry], total: int) -> Iterator[Finding]:
    if len(entries) == total:
        sentence = "None of the sound files is there: only what is written can be checked."
        yield Finding(kind="missing", severity=Severity.ERROR, sentence=sentence)
        return
    for line, clip in entries:
        sentence = "There is no such sound file."
        yield Finding(kind="missing", severity=Severity.ERROR, line=line, path=clip.path, sentence=sentence)


def _compared(first: Entry, other: Entry, agreement: Agreement) -> Finding:
    """What follows from two clips being the same sound."""
    severity, what = Severity.NOTE, "the same sound as"
    one, two = first.clip, other.clip
    if one.label != two.label:
        severity, what = Severity.ERROR, f"the class {two.label}, but {one.label} for the same sound in"
    elif one.text != two.text:
        said = [words(agreement.meant(clip.text or "")) for clip in (one, two)]
        severity = Severity.WARNING if said[0] == said[1] else Severity.ERROR
        what = f'"{two.text}", but "{one.text}" for the same sound in'
    elif one.split != two.split:
        severity, what = Severity.ERROR, f"in {two.split}, and in {one.split} as"
    sentence = f"{what[0].upper()}{what[1:]} line {first.line} ({one.path})."
    return Finding(kind="same_audio", severity=severity, line=other.line, path=two.path, sentence=sentence)
