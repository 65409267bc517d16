"""The checks that listen to each clip: silence, loudness, and what the microphone or the line did to it."""

import os
from collections.abc import Iterator

from models.check.progress import watched
from models.data.manifest import Manifest
from models.finding import Finding
from models.labels.definition import Definition
from models.sound.checks import Agreement, SourceLoudness, clip_findings
from models.sound.survey import Survey


def check_sound(manifest: Manifest, definition: Definition) -> Iterator[Finding]:
    """What each clip sounds like, against the agreement. Files that are not there are another check's."""
    agreement = agreement_of(definition)
    there = tuple(entry for entry in manifest.entries if entry.clip.file(manifest.folder).exists())
    loudness = SourceLoudness()
    for surveyed in watched(Survey(manifest._replace(entries=there), os.cpu_count() or 1)):
        loudness.push(surveyed)
        yield from clip_findings(surveyed, agreement)
    yield from loudness.findings()


def agreement_of(definition: Definition) -> Agreement:
    """What a definition asks of sound."""
    silence, loudness = definition.silence, definition.loudness
    return Agreement(
        before_ms=(silence.before_ms_min, silence.before_ms_max),
        after_ms=(silence.after_ms_min, silence.after_ms_max),
        lufs=(loudness.lufs_min, loudness.lufs_max),
    )
