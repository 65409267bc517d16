"""Checks of what is written: the agreement's conventions, empty texts, typing slips, class names."""

from collections import Counter
from collections.abc import Iterator

from common.errors import EngineError
from models.check.progress import watched
from models.data.manifest import Entry, Manifest
from models.finding import Finding, Severity
from models.labels.agreement import CHARACTERS, Agreement, agreement_on
from models.labels.characters import AGREED, told
from models.labels.definition import Definition
from models.labels.dictionary import dictionary_words
from models.labels.slips import slips
from models.labels.ways import told as told_ways
from models.labels.ways import ways_of
from models.labels.writing import MARK, WORD, straight, words

_SHOWN_CHARACTERS = 4


def check_manifest(manifest: Manifest, definition: Definition) -> Iterator[Finding]:
    """Lines that are no clips."""
    yield from manifest.findings


def check_definition(manifest: Manifest, definition: Definition) -> Iterator[Finding]:
    """An agreement on sound that the board would not keep."""
    wanted = definition.loudness.normalise_to_lufs
    if wanted is not None:
        yield Finding(
            kind="definition",
            severity=Severity.ERROR,
            sentence=f"loudness.normalise_to_lufs = {wanted:g} asks for a normalisation that the board does not have: "
            "what is trained would not be what runs. Leave it unset.",
        )


def check_empty(manifest: Manifest, definition: Definition) -> Iterator[Finding]:
    """Texts without a word or mark in them; clips that have neither text nor class where others have one."""
    transcribed = any(clip.text is not None for clip in manifest.clips)
    for line, clip in manifest.entries:
        if clip.text is None:
            if clip.label is None and transcribed:
                yield Finding(kind="empty", severity=Severity.WARNING, line=line, path=clip.path, sentence="No text.")
        elif not WORD.search(clip.text) and not MARK.search(clip.text):
            sentence = "The text is empty." if not clip.text.strip() else f'The text "{clip.text}" has no word.'
            yield Finding(kind="empty", severity=Severity.ERROR, line=line, path=clip.path, sentence=sentence)


def check_conventions(manifest: Manifest, definition: Definition) -> Iterator[Finding]:
    """A note a convention on the ways that are in use; a warning a label that breaks the agreement."""
    agreement = agreement_on(manifest, definition)
    for ways in ways_of(manifest.clips, agreement.conventions):
        yield Finding(kind=ways.convention, severity=Severity.NOTE, sentence=f"{told_ways(ways)}.")
    agreed = {convention.name: convention.agreed for convention in agreement.conventions} | {CHARACTERS: AGREED}
    for entry in watched(manifest.entries):
        yield from _broken(entry, agreement, agreed)


def _broken(entry: Entry, agreement: Agreement, agreed: dict[str, str]) -> Iterator[Finding]:
    line, clip = entry
    # Without any word it is the business of another check.
    if not clip.text or not (WORD.search(clip.text) or MARK.search(clip.text)):
        return
    for step in agreement.steps(clip.text):
        after = None
        if step.after is not None:
            alone = agreement.by(step.name, clip.text)
            after = step.after if alone in (None, clip.text) else alone
        sentence = agreed[step.name]
        if step.name == CHARACTERS:
            sentence += f": {', '.join(told(clip.text)[:_SHOWN_CHARACTERS])}"
        elif step.after is None:
            sentence += "; a person must decide"
        yield Finding(
            kind=step.name,
            severity=Severity.WARNING,
            line=line,
            path=clip.path,
            sentence=f"{sentence[0].upper()}{sentence[1:]}.",
            before=clip.text,
            after=after,
        )


def check_classes(manifest: Manifest, definition: Definition) -> Iterator[Finding]:
    """Class names that differ by capitals, spaces or underscores alone."""
    counts = Counter(clip.label for clip in manifest.clips if clip.label is not None)
    usual: dict[str, str] = {}
    for label, _ in counts.most_common():
        usual.setdefault(_plain_class(label), label)
    for line, clip in manifest.entries:
        if clip.label is not None and (meant := usual[_plain_class(clip.label)]) != clip.label:
            sentence = f'The class "{clip.label}" is written "{meant}" elsewhere.'
            yield Finding(kind="classes", severity=Severity.ERROR, line=line, path=clip.path, sentence=sentence)


def _plain_class(label: str) -> str:
    return "".join(label.casefold().replace("_", " ").replace("-", " ").split())


def check_slips(manifest: Manifest, definition: Definition) -> Iterator[Finding]:
    """Rare words that are in no dictionary and one keystroke from a usual one."""
    try:
        known = dictionary_words()
    except EngineError as error:
        yield Finding(kind="slips", severity=Severity.NOTE, sentence=str(error))
        return
    agreement = agreement_on(manifest, definition)
    usage = agreement.usage
    counts: Counter[str] = Counter()
    spoken = []
    for entry in watched(manifest.entries):
        found = words(agreement.final(entry.clip.text)) if entry.clip.text else []
        counts.update(found)
        spoken.append(found)
    names = {word for word in counts if usage.is_name(word)}
    likely = {slip.written: slip for slip in slips(counts, known, names)}
    for (line, clip), found in zip(manifest.entries, spoken, strict=True):
        for slip in (likely[word] for word in dict.fromkeys(found) if word in likely):
            assert clip.text is not None
            yield Finding(
                kind="slips",
                severity=Severity.WARNING,
                line=line,
                path=clip.path,
                sentence=f'"{slip.written}" is likely a typing slip of "{slip.meant}".',
                before=clip.text,
                after=_replaced(clip.text, slip.written, slip.meant) if slip.sure else None,
            )


def _replaced(text: str, written: str, meant: str) -> str | None:
    """The text with a word replaced, its capital kept; None if it is not there as it stands."""
    for match in WORD.finditer(text):
        if straight(match[0]).lower() == written:
            word = meant.upper() if match[0].isupper() and len(match[0]) > 1 else meant
            word = word[0].upper() + word[1:] if match[0][0].isupper() else word
            return text[: match.start()] + word + text[match.end() :]
    return None
