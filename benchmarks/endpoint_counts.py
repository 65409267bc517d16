"""What went wrong between true speech and utterances, counted."""

from dataclasses import astuple, dataclass

import numpy as np

from benchmarks.detectors import Utterance
from benchmarks.scenes import Spoken
from edge.sound.source import SAMPLE_RATE_HZ

TOUCH_SAMPLES = SAMPLE_RATE_HZ // 20
"""50 ms: so much speech in an utterance is speech in it, and so much may be lost at its edges."""

EARLY_SAMPLES = SAMPLE_RATE_HZ
"""An utterance that began so long before the speech in it began for nothing."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Of clips, but for the last three. Adds up."""

    clips: int = 0
    missed: int = 0
    """In no utterance."""
    split: int = 0
    """In more than one."""
    joined: int = 0
    """In one utterance with the clip before."""
    onsets_clipped: int = 0
    ends_clipped: int = 0
    false_starts: int = 0
    """Utterances without speech, or that began long before it."""
    without_speech_s: float = 0.0
    delays_s: tuple[float, ...] = ()
    """From the true end to the endpoint, of clips that are an utterance of their own."""

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(mine + its for mine, its in zip(astuple(self), astuple(other), strict=True)))

    @property
    def false_starts_per_hour(self) -> float:
        """Of time in which nobody speaks."""
        return self.false_starts / self.without_speech_s * 3600 if self.without_speech_s else 0.0

    def delay_ms(self, percentile: float) -> float | None:
        return 1000 * float(np.percentile(self.delays_s, percentile)) if self.delays_s else None


def count(spoken: list[Spoken], utterances: list[Utterance], length: int) -> Counts:
    """Compares a recording of that many samples with what was cut out of it."""
    touched = [[clip for clip in spoken if _touches(clip, utterance)] for utterance in utterances]
    counts = Counts(
        clips=len(spoken), without_speech_s=_seconds(length - sum(clip.end - clip.start for clip in spoken))
    )
    for clips, utterance in zip(touched, utterances, strict=True):
        early = not clips or clips[0].start - utterance.start > EARLY_SAMPLES
        counts += Counts(false_starts=int(early), joined=max(0, len(clips) - 1))
    for clip in spoken:
        holding = [number for number, clips in enumerate(touched) if clip in clips]
        if not holding:
            counts += Counts(missed=1)
            continue
        first, last = utterances[holding[0]], utterances[holding[-1]]
        own = len(holding) == 1 and len(touched[holding[0]]) == 1
        counts += Counts(
            split=int(len(holding) > 1),
            onsets_clipped=int(first.start - clip.start > TOUCH_SAMPLES),
            ends_clipped=int(clip.end - last.end > TOUCH_SAMPLES),
            delays_s=(_seconds(last.end - clip.end),) if own and last.end < length else (),
        )
    return counts


def _touches(clip: Spoken, utterance: Utterance) -> bool:
    return min(clip.end, utterance.end) - max(clip.start, utterance.start) >= TOUCH_SAMPLES


def _seconds(samples: int) -> float:
    return samples / SAMPLE_RATE_HZ
