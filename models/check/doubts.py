"""The check that tells which classes models doubted when `parrotlet-models doubt` asked them."""

from collections.abc import Iterable, Iterator

from common.errors import DataError
from models.data.clip import Judgement
from models.data.manifest import Entry, Manifest
from models.finding import Finding, Severity
from models.labels.definition import Definition
from models.labels.fixing import DOUBTS, Relabelled


def check_doubts(manifest: Manifest, definition: Definition) -> Iterator[Finding]:
    """Labels that another is likelier than, the worst first; of one that was changed since, nothing was said."""
    for (line, clip), said in doubted(manifest.entries):
        told = sentence(said)
        yield Finding(
            kind=DOUBTS,
            severity=Severity.WARNING,
            line=line,
            path=clip.path,
            sentence=f"{told[0].upper()}{told[1:]}.",
        )


def doubted_out(manifest: Manifest) -> dict[int, Relabelled]:
    """By line, clips of the train part that lose their class: they surely sound like another. Those of other parts
    stay: a measurement without what is hard to hear would flatter. DataError if the set is not divided."""
    if not any(clip.split for clip in manifest.clips):
        raise DataError(f"{manifest.file}: is not divided; what is doubted is left out of a train part alone.")
    refuse_unjudged(manifest)
    learnt = [entry.line for entry, said in doubted(manifest.entries) if said.surely and entry.clip.split == "train"]
    return dict.fromkeys(learnt, Relabelled(None, (DOUBTS,)))


def refuse_unjudged(manifest: Manifest) -> None:
    """DataError where no model was asked: that nothing is doubted would say something else."""
    if not any(clip.judged is not None for clip in manifest.clips):
        raise DataError(f"{manifest.file}: no model was asked what it thinks of the labels: parrotlet-models doubt.")


def doubted(entries: Iterable[Entry]) -> list[tuple[Entry, Judgement]]:
    """Those that sound more like another class, the worst first, with what is said of them."""
    found = [(entry, said) for entry in entries if (said := entry.clip.doubt) is not None]
    return sorted(found, key=lambda one: (one[1].quality, one[0].line))


def sentence(said: Judgement) -> str:
    """What is told of a doubted label."""
    return f"is labelled '{said.label}', sounds like '{said.likelier}' ({said.probability:.2f})"
