"""The check that tells which classes models doubted when `parrotlet-models doubt` asked them."""

from collections.abc import Iterable, Iterator

from common.errors import DataError
from models.data.clip import Judgement
from models.data.manifest import Entry, Manifest
from models.finding import Finding, Severity
from models.labels.definition import Definition
from models.labels.fixing import DOUBTS, Relabelled


def check_doubts(manifest: Manifest, definition: Definition) -> Iterator[Finding]:
    """Labels that models doubt, the worst first. A label that was changed since is not the one that they doubted."""
    for (line, clip), said in doubted(manifest.entries):
        yield Finding(
            kind=DOUBTS,
            severity=Severity.WARNING,
            line=line,
            path=clip.path,
            sentence=f"{sentence(said).capitalize()}.",
        )


def doubted_out(manifest: Manifest) -> dict[int, Relabelled]:
    """By line, clips of the train part that lose the class that is doubted. Others stay: a measurement without what is
    hard to hear would flatter. DataError if the set is not divided."""
    if not any(clip.split for clip in manifest.clips):
        raise DataError(f"{manifest.file}: is not divided; what is doubted is left out of a train part alone.")
    learnt = [entry.line for entry, _ in doubted(manifest.entries) if entry.clip.split == "train"]
    return dict.fromkeys(learnt, Relabelled(None, (DOUBTS,)))


def doubted(entries: Iterable[Entry]) -> list[tuple[Entry, Judgement]]:
    """Those whose label is doubted, the worst first, with what is said of it."""
    found = [(entry, said) for entry in entries if (said := entry.clip.doubt) is not None]
    return sorted(found, key=lambda one: (one[1].quality, one[0].line))


def sentence(said: Judgement) -> str:
    """What is told of a doubted label."""
    return f"is labelled '{said.label}', sounds like '{said.likelier}' ({said.probability:.2f})"
