"""From a log and labels to a set: taken in, checked, put right, divided and put beside what was learnt from before."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from common.errors import DataError, InputError
from models.check.checkers import CONVENTIONS, findings
from models.check.page import write_page
from models.data.clip import Clip
from models.data.leaks import leaks, without_twins
from models.data.loudest import loudest
from models.data.manifest import Entry, Manifest, moved, read_manifest, write_manifest
from models.data.sound_file import read_clip
from models.data.split import Plan, Shares
from models.data.split import split as divided
from models.finding import Severity
from models.importing.intake import Agreed, Intake
from models.importing.service_log import BOARD, CHANCE, Taking, read_service_log, wrote
from models.importing.utterance_labels import Labels, read_utterance_labels
from models.labels import fixing
from models.labels.agreement import Agreement, agreement_on
from models.labels.definition import definition_for
from models.labels.journal import journal_file
from models.labels.transcribers import Apart, apart
from models.labels.writing import words
from models.retraining.given import BASE, DATA, LOG_SOURCE, NEW, Given
from models.retraining.learnt_from import DIGEST, LABELS_DIGEST, days, digest
from models.retraining.steps import Figures, Tell, erase
from protos.feature_spec import DEFAULT_SPEC

TOLD = 20
CHECKED = ("manifest", "empty", *CONVENTIONS, "classes", "slips", "same_words", "same_audio", "missing")
"""What is looked for in the new labels."""


def take(given: Given, tell: Tell) -> Figures:
    """The manifest of the log's utterances that somebody labelled."""
    agreed, _ = definition_for(given.heard, given.definition_file)
    agreement = Agreement(agreed, [])
    labels = Labels({}, ())
    if given.labels is not None:
        labels = read_utterance_labels(given.labels, lambda text: " ".join(words(agreement.meant(text))))
    taking = Taking(False, given.sound, given.recipe, agreed, labels.by_utterance, given.exact)
    intake = Intake(given.log.parent, given.work, Agreed(defaults={"source": LOG_SOURCE}))
    clips = [_placed(clip, given) for clip in intake.clips(read_service_log(given.log, taking))]
    faults = [*labels.faults, *intake.faults]
    for fault in faults[:TOLD]:
        tell(f"{fault.place}: {fault.sentence}.")
    if not clips:
        why = f": {faults[0].place}: {faults[0].sentence}" if faults else ""
        raise DataError(f"{given.log}: no utterance of it has both a label and its sound, so nothing is new{why}.")
    write_manifest(given.heard, clips)
    return {
        "clips": len(clips),
        "left out": intake.left_out + len(labels.faults),
        "by board": dict(Counter(clip.slices[BOARD] for clip in clips)),
        "by transcriber": dict(Counter(clip.transcriber or "nobody" for clip in clips)),
        "by class": dict(Counter(clip.label or "none" for clip in clips)),
        "days": days(given.log),
        DIGEST: digest(given.log),
        LABELS_DIGEST: None if given.labels is None else digest(given.labels),
        "drawn": sum(CHANCE in clip.measured for clip in clips),
    }


def _placed(clip: Clip, given: Given) -> Clip:
    """With what counts of its sound: the stretch that a model looks at, where that is shorter."""
    clip = msgspec.structs.replace(clip, slices=clip.slices | {DATA: NEW})
    try:
        samples = read_clip(clip, given.work)
    except InputError:
        # Its head and its end are good; the check says what is wrong with it.
        return clip
    stretch = loudest(samples, given.recipe.window_frames * DEFAULT_SPEC.frame_ms)
    if stretch is None or clip.start_ms is not None or clip.end_ms is not None:
        return clip
    return msgspec.structs.replace(clip, start_ms=stretch[0], end_ms=stretch[1])


def check(given: Given, tell: Tell) -> Figures:
    """Findings as a file and a page to put labels right on. DataError where somebody labels by another agreement."""
    read = read_manifest(given.heard)
    agreed, _ = definition_for(given.heard, given.definition_file)
    found = list(findings(read, agreed, only=CHECKED))
    write_page(given.check_page, read, agreed, found)
    given.checked.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in found))
    others = apart([clip for clip in read.clips if wrote(clip)], agreement_on(read, agreed))
    refused = [one for one in others if one.convention not in given.put_right]
    for one in others:
        tell(one.sentence)
    if refused:
        raise DataError(_refusal(given, refused))
    counts = Counter(one.kind for one in found if one.severity is not Severity.NOTE)
    return {"found": dict(counts.most_common()), "apart": [one.sentence for one in others]}


def _refusal(given: Given, refused: Sequence[Apart]) -> str:
    first = refused[0]
    more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
    kinds = " ".join(f"--put-right {kind}" for kind in dict.fromkeys(one.convention for one in refused))
    return (
        f"Nothing is trained: {first.sentence[:-1]}{more}. Ask {first.transcriber}, put the labels right "
        f"({given.check_page} shows them), or have it done: {kinds}."
    )


def fix(given: Given, tell: Tell) -> Figures:
    """A manifest in which labels are as agreed, as far as that is safe, with a journal; without what is an error."""
    read = read_manifest(given.heard)
    agreed, _ = definition_for(given.heard, given.definition_file)
    bad = {one.line for one in _errors(given.checked)}
    kept = Manifest(read.file, tuple(entry for entry in read.entries if entry.line not in bad), read.findings)
    if not kept.entries:
        raise DataError(f"{given.heard}: each of its {len(read.entries)} clips has an error; see {given.check_page}.")
    names = agreement_on(kept, agreed).names
    result = fixing.rewritten(kept, given.fixed, [fixing.by_policies(kept, agreed, names)])
    # The journal of a run that was killed before it wrote the manifest.
    erase(journal_file(given.fixed))
    fixing.write(given.fixed, result)
    if bad:
        tell(f"{len(bad)} clips with errors are left out; see {given.check_page}")
    return {"labels put right": len(result.changes), "left out": len(bad), "clips": len(result.clips)}


def _errors(file: Path) -> Iterator["_Found"]:
    decoder = msgspec.json.Decoder(_Found)
    found = (decoder.decode(line) for line in file.read_bytes().splitlines())
    return (one for one in found if one.severity is Severity.ERROR and one.line is not None)


class _Found(msgspec.Struct, frozen=True):
    """Of a finding, what is asked for."""

    severity: Severity
    line: int | None = None


def divide(given: Given, tell: Tell) -> Figures:
    """One set of what was there and what is new: by speaker, those who are known where they were. And the same without
    what is new. What is heard on two sides is left out of what is learnt from."""
    base = read_manifest(given.base)
    for finding in base.findings[:TOLD]:
        tell(f"{given.base}:{finding.line}: {finding.sentence}")
    old = [_old(clip) for clip in moved(base.clips, base.folder, given.work)]
    known = {clip.path for clip in old}
    new = [clip for clip in read_manifest(given.fixed).clips if clip.path not in known]
    parts = {clip.speaker: clip.split for clip in old if clip.speaker and clip.split}
    drawn = _drawn(given, [clip for clip in new if clip.speaker not in parts or given.each_utterance])
    stays = [] if given.each_utterance else [clip for clip in new if clip.speaker in parts]
    added = [msgspec.structs.replace(clip, split=parts[clip.speaker or ""]) for clip in stays] + drawn
    entries = [Entry(number, clip) for number, clip in enumerate(sorted([*old, *added], key=_order), 1)]
    whole = without_twins(entries, given.work)
    if found := next(leaks(whole, given.work), None):
        raise DataError(f"{given.base}: {found.sentence} Divide it anew: parrotlet-models split.")
    for file in (given.set, given.base_set):
        erase(file)
    clips = [clip for _, clip in whole]
    write_manifest(given.base_set, [clip for clip in clips if clip.slices[DATA] == BASE])
    write_manifest(given.set, clips)
    counts = {
        which: dict(Counter(clip.split or "no part" for clip in clips if clip.slices[DATA] == which))
        for which in (BASE, NEW)
    }
    if not any(clip.split == "test" for clip in clips):
        raise DataError(
            f"{given.base}: has no clip of the split test, and nothing is measured with: parrotlet-models split."
        )
    if not counts[NEW].get("test"):
        tell("no new clip is measured with: there are too few new speakers, or --each-utterance is wanted")
    return {
        **counts,
        DIGEST: digest(given.base),
        "heard twice": len(entries) - len(whole),
        "known before": _count(given.fixed) - len(new),
    }


def _old(clip: Clip) -> Clip:
    # A set of an earlier retraining is as old as the rest of it by now.
    return msgspec.structs.replace(clip, slices=clip.slices | {DATA: BASE})


def _drawn(given: Given, clips: Sequence[Clip]) -> list[Clip]:
    """New clips, by who speaks in them, or each by itself."""
    if given.each_utterance:
        clips = [msgspec.structs.replace(clip, speaker=None) for clip in clips]
    shares = Shares(given.tune_share, given.test_share)
    return divided(clips, Plan(shares, own_speakers=given.each_utterance))


def _order(clip: Clip) -> tuple[str, int]:
    return clip.path, clip.start_ms or 0


def _count(manifest: Path) -> int:
    return len(read_manifest(manifest).entries)
