"""Longer speech by windows, as a model meets it that moves over it looking for words."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from common.errors import InputError
from edge.sound.source import SAMPLE_RATE_HZ
from models.data.clip import Clip
from models.data.sound_file import read_clip


def by_windows(
    clips: Iterable[Clip],
    folder: Path,
    window_ms: int,
    step_ms: int,
    label: str,
    on_fault: Callable[[InputError], None],
) -> Iterator[Clip]:
    """Windows of each clip, the last one up to its end, with this label and no text: what was said is cut anywhere.

    What is shorter stays whole. A recording that is missing or damaged is left out, and told.
    """
    for clip in clips:
        try:
            length_ms = len(read_clip(clip, folder)) * 1000 // SAMPLE_RATE_HZ
        except InputError as error:
            on_fault(error)
            continue
        start_ms = clip.start_ms or 0
        last_ms = max(0, length_ms - window_ms)
        for at_ms in (*range(0, last_ms, step_ms), last_ms):
            yield msgspec.structs.replace(
                clip,
                text=None,
                label=label,
                start_ms=start_ms + at_ms,
                end_ms=start_ms + min(at_ms + window_ms, length_ms),
                # They are those of the whole.
                measured={},
            )
