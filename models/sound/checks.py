"""What is wrong with the sound of a data set: of each clip, and of a source as a whole."""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from models.data.clip import SILENT_LABELS, Clip
from models.finding import Finding, Severity
from models.sound.survey import Surveyed

SHORT_SPEECH_MS = 100
EDGE_MS = 20
"""The gate needs two blocks to call speech what it is."""
FLAT_TOP_WARNING, FLAT_TOP_ERROR = 0.0005, 0.01
"""Shares of samples; a hundredth is heard as a rattle."""
OFFSET_SHARE = 0.02
LEVEL_DBFS_MIN, LEVEL_DBFS_MAX = -50.0, -6.0
SNR_DB_MIN = 10.0
BAND_HZ_MIN = 4_500.0
"""A telephone's sound ends at 3,500 or 4,000 Hz."""
NORMALISED_CLIPS = 20
NORMALISED_LU = 1.0
"""Voices and microphones differ by ten; where the middle 80 % lie within one, somebody turned a knob."""


KINDS = (
    "damaged",
    "no_speech",
    "speech_in_silence",
    "cut_off",
    "silence_before",
    "silence_after",
    "clipping",
    "offset",
    "level",
    "noise",
    "band_limit",
    "loudness",
    "normalised",
)
"""What can be found, by name."""


class Agreement(NamedTuple):
    """What the data definition asks of sound; None: nothing."""

    before_ms: tuple[int, int] | None = None
    """Least and most silence before speech."""
    after_ms: tuple[int, int] | None = None
    lufs: tuple[float, float] | None = None


def clip_findings(surveyed: Surveyed, agreement: Agreement) -> Iterator[Finding]:
    """All that one clip shows."""
    entry, measured, faults = surveyed

    def finding(kind: str, severity: Severity, sentence: str) -> Finding:
        return Finding(kind=kind, severity=severity, line=entry.line, path=entry.clip.path, sentence=sentence)

    for fault in faults:
        yield finding("damaged", Severity.ERROR, fault)
    if not measured["duration_ms"]:
        return
    for kind, severity, sentence in (*_speech(entry.clip, measured, agreement), *_signal(measured, agreement)):
        yield finding(kind, severity, sentence)


Remark = tuple[str, Severity, str]


def _speech(clip: Clip, measured: dict[str, float], agreement: Agreement) -> Iterator[Remark]:
    """Whether somebody speaks, and where."""
    speech_ms = measured["speech_ms"]
    if clip.label in SILENT_LABELS:
        if speech_ms > SHORT_SPEECH_MS:
            yield (
                "speech_in_silence",
                Severity.WARNING,
                f"Labelled {clip.label}, but {speech_ms:g} ms sound like speech.",
            )
        return
    if not speech_ms:
        yield "no_speech", Severity.ERROR, "Nobody is heard to speak."
        return
    if speech_ms < SHORT_SPEECH_MS:
        yield "no_speech", Severity.WARNING, f"Only {speech_ms:g} ms sound like speech."
    for name, where, wanted in (
        ("before_ms", "before", agreement.before_ms),
        ("after_ms", "after", agreement.after_ms),
    ):
        silence_ms = measured[name]
        if silence_ms <= EDGE_MS:
            side = "begins" if where == "before" else "ends"
            yield "cut_off", Severity.WARNING, f"Speech {side} where the clip does; a part of it may be cut off."
        elif wanted and not wanted[0] <= silence_ms <= wanted[1]:
            yield (
                f"silence_{where}",
                Severity.WARNING,
                f"{silence_ms:g} ms of silence {where} speech; agreed are {wanted[0]} to {wanted[1]}.",
            )


def _signal(measured: dict[str, float], agreement: Agreement) -> Iterator[Remark]:
    """How loud, how clean, how whole."""
    if (flat := measured["flat_top_share"]) > FLAT_TOP_WARNING:
        severity = Severity.ERROR if flat > FLAT_TOP_ERROR else Severity.WARNING
        yield "clipping", severity, f"{100 * flat:.2g} % of the samples are cut off at the top."
    if (offset := measured["offset_share"]) > OFFSET_SHARE:
        yield "offset", Severity.WARNING, f"The sound lies {100 * offset:.1f} % of full scale beside zero."
    if (level := measured.get("level_dbfs")) is not None and not LEVEL_DBFS_MIN <= level <= LEVEL_DBFS_MAX:
        yield (
            "level",
            Severity.WARNING,
            f"Speech lies at {level:.0f} dBFS; {LEVEL_DBFS_MIN:g} to {LEVEL_DBFS_MAX:g} are usual.",
        )
    if (snr := measured.get("snr_db")) is not None and snr < SNR_DB_MIN:
        yield "noise", Severity.WARNING, f"Speech is only {snr:.0f} dB above the noise."
    if (band := measured.get("band_limit_hz")) is not None and band < BAND_HZ_MIN:
        yield "band_limit", Severity.WARNING, f"Nothing is heard above {band:g} Hz: telephone sound in a wide file?"
    if agreement.lufs and measured["speech_ms"] and (lufs := measured.get("lufs")) is not None:
        least, most = agreement.lufs
        if not least <= lufs <= most:
            yield "loudness", Severity.WARNING, f"{lufs:.1f} LUFS; agreed are {least:g} to {most:g}."


class SourceLoudness:
    """Whether all clips of a source were made equally loud. The board does no such thing, so a model must not learn
    to count on it."""

    def __init__(self) -> None:
        self._lufs: dict[str, list[float]] = defaultdict(list)

    def push(self, surveyed: Surveyed) -> None:
        clip, lufs = surveyed.entry.clip, surveyed.measured.get("lufs")
        if lufs is not None and surveyed.measured["speech_ms"]:
            self._lufs[clip.source or "no source"].append(lufs)

    def findings(self) -> Iterator[Finding]:
        for source, lufs in sorted(self._lufs.items()):
            low, middle, high = np.percentile(lufs, [10, 50, 90])
            if len(lufs) >= NORMALISED_CLIPS and high - low < NORMALISED_LU:
                yield Finding(
                    kind="normalised",
                    severity=Severity.WARNING,
                    sentence=f"{source}: {len(lufs)} clips are all at {middle:.1f} LUFS. Somebody made their loudness "
                    "equal, which no board does; vary it in training.",
                )


def trimmed(surveyed: Surveyed, agreement: Agreement) -> Clip:
    """The clip with no more silence than agreed, by its start and end in the manifest; the sound stays as it is.

    What is missing cannot be added: a clip with too little silence stays as it is."""
    clip, measured = surveyed.entry.clip, surveyed.measured
    if "before_ms" not in measured or clip.label in SILENT_LABELS:
        return clip
    start_ms = clip.start_ms or 0
    end_ms = start_ms + int(measured["duration_ms"])
    changes: dict[str, int] = {}
    if agreement.before_ms and measured["before_ms"] > agreement.before_ms[1]:
        changes["start_ms"] = start_ms + int(measured["before_ms"]) - agreement.before_ms[1]
    if agreement.after_ms and measured["after_ms"] > agreement.after_ms[1]:
        changes["end_ms"] = end_ms - int(measured["after_ms"]) + agreement.after_ms[1]
    return replace(clip, **changes) if changes else clip
