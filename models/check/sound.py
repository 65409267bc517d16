"""The checks that listen to each clip: silence, loudness, and what the microphone or the line did to it."""

import os
from collections.abc import Iterator

from models.check.progress import watched
from models.data.manifest import Manifest
from models.finding import Finding
from models.labels.definition import Definition
from models.labels.journal import Span
from models.sound.checks import Agreement, SourceLoudness, clip_findings, trimmed
from models.sound.survey import Survey


def check_sound(manifest: Manifest, definition: Definition) -> Iterator[Finding]:
    """What each clip sounds like, against the agreement. Files that are not there are another check's."""
    agreement = agreement_of(definition)
    loudness = SourceLoudness()
    for surveyed in watched(_survey(manifest)):
        loudness.push(surveyed)
        yield from clip_findings(surveyed, agreement)
    yield from loudness.findings()


def trims(manifest: Manifest, definition: Definition) -> dict[int, Span]:
    """By line, where clips begin and end without the silence that is more than agreed. What is damaged stays as it
    is."""
    agreement = agreement_of(definition)
    found = {}
    for surveyed in watched(_survey(manifest)):
        line, clip = surveyed.entry
        less = clip if surveyed.faults else trimmed(surveyed, agreement)
        if less is not clip:
            found[line] = (less.start_ms, less.end_ms)
    return found


def _survey(manifest: Manifest) -> Survey:
    there = tuple(entry for entry in manifest.entries if entry.clip.file(manifest.folder).exists())
    return Survey(manifest._replace(entries=there), os.cpu_count() or 1)


def agreement_of(definition: Definition) -> Agreement:
    """What a definition asks of sound."""
    silence, loudness = definition.silence, definition.loudness
    return Agreement(
        before_ms=(silence.before_ms_min, silence.before_ms_max),
        after_ms=(silence.after_ms_min, silence.after_ms_max),
        lufs=(loudness.lufs_min, loudness.lufs_max),
    )
