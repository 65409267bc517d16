"""One recording of a data set: a line of its manifest."""

from pathlib import Path
from typing import Literal

import msgspec

Split = Literal["train", "tune", "test"]
"""What a clip may be used for: learnt from, decided by, or measured with, and nothing else."""

SILENT_LABELS = frozenset({"silence", "noise"})
"""Classes in which nobody speaks."""


class Judgement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What models that never learnt from a clip say of its class."""

    label: str
    """The class that was judged; the clip's may be another by now."""
    likelier: str
    """The class that it sounds most like: the same, where nothing else is likelier."""
    probability: float
    """Of that, by these models."""
    quality: float
    """From 0, where the label is surely wrong, to 1."""
    surely: bool = False
    """Whether another class is as sure as where it is the label: the verdict of confident learning."""


class Clip(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a recording. Unset is None: nobody knows, or nobody said."""

    path: str
    """Of the sound file, relative to the manifest's folder, with ``/``."""
    text: str | None = None
    """What is said, as the transcriber wrote it."""
    label: str | None = None
    """Its class, where the set is one of classes."""
    speaker: str | None = None
    source: str | None = None
    """Where it comes from: a collection, a device, a voice."""
    split: Split | None = None
    transcriber: str | None = None
    licence: str | None = None
    synthetic: bool = False
    """Spoken by a machine. Whatever is made from it is synthetic too."""
    start_ms: int | None = None
    """What comes before is not part of the clip: sound is left as it is, the manifest says what counts of it."""
    end_ms: int | None = None
    made_from: str | None = None
    """Path of the clip that this one was mixed from; both belong in one split."""
    measured: dict[str, float] = {}
    """Figures, with their unit in the name: ``snr_db``, ``speech_ms``."""
    judged: Judgement | None = None
    """None: nobody has asked a model."""
    slices: dict[str, str] = {}
    """Whatever else errors may be told apart by: ``room = "kitchen"``."""

    @property
    def doubt(self) -> Judgement | None:
        """Where another class is likelier than the one that the clip has now."""
        judged = self.judged
        return judged if judged is not None and judged.likelier != judged.label == self.label else None

    def file(self, folder: Path) -> Path:
        """Where the sound lies, for a manifest in this folder."""
        return folder / self.path
