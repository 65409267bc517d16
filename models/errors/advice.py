"""What to collect, in sentences, for a slice in which a model errs more than elsewhere."""

from collections.abc import Sequence
from typing import NamedTuple

from models.errors.condition import Condition
from models.errors.curve import LearningCurve
from models.errors.outcome import Outcome
from models.errors.slices import Slice

MANY = 20
"""Times as many clips as there are: beyond, more of the same is no answer."""

PHRASES = {
    ("label", "="): "of the class {}",
    ("speaker", "="): "of speaker {}, or of voices like it",
    ("source", "="): "from {}",
    ("synthetic", "="): "spoken by people and not by machines",
    ("snr_db", "<"): "less than {} dB above the noise",
    ("level_dbfs", "<"): "of speech quieter than {} dBFS: far away, or spoken softly",
    ("level_dbfs", "≥"): "of speech louder than {} dBFS: close to the microphone",
    ("speech_ms", "<"): "with less than {} ms of speech: short or fast",
    ("speech_ms", "≥"): "with more than {} ms of speech: long or slow",
    ("pitch_hz", "<"): "of voices below {} Hz",
    ("pitch_hz", "≥"): "of voices above {} Hz: high voices, children",
    ("before_ms", "<"): "with less than {} ms of silence before speech",
    ("after_ms", "<"): "with less than {} ms of silence after speech",
    ("band_limit_hz", "<"): "by microphones or lines that end below {} Hz",
    ("flat_top_share", "≥"): "that are overdriven",
}
OTHERWISE = {
    "=": "with {property} {value}",
    "<": "with {property} below {value}",
    "≥": "with {property} of {value} or more",
}


class Advice(NamedTuple):
    """What to do about a slice."""

    slice: Slice
    target: float
    """Error rate that it should come down to: that of the rest, or of a person."""
    gain: float
    """What the error rate over all would fall by."""
    trained_on: int | None
    """Such clips among those trained on; None: not known."""
    clips: int | None
    """To collect; None: nobody knows, or no number would do."""

    def sentences(self, curve: LearningCurve | None) -> str:
        """For a person."""
        weak = self.slice
        what = ", ".join(phrase(condition) for condition in weak.conditions)
        number = f"about {_round(self.clips)} clips" if self.clips else "clips"
        said = (
            f"Collect {number} {what}. {weak.clips} clips ({100 * weak.share:.1f} % of all) err "
            f"{100 * weak.error_rate:.1f} %, the rest {100 * weak.rest_rate:.1f} %; at {100 * self.target:.1f} % the "
            f"errors over all would fall by {100 * self.gain:.2f} points."
        )
        return f"{said} {self._why(curve)}"

    def _why(self, curve: LearningCurve | None) -> str:
        if self.trained_on is None:
            return "How many is not known without the manifest that was trained on, with these properties in it."
        known = f"{self.trained_on} such clips were trained on"
        if curve is None:
            return f"{known}; how many more is not known without a learning curve."
        rests_on = (
            f"errors fall with clips to the power of -{curve.exponent:.2f}, measured from {curve.clips_min} to "
            f"{curve.clips_max} clips"
        )
        if self.clips is None:
            return f"{known}; more of the same would hardly mend it ({rests_on})."
        return f"{known} ({rests_on})."


def advise(
    slices: Sequence[Slice], trained_on: Sequence[Outcome] | None, curve: LearningCurve | None, human: float | None
) -> list[Advice]:
    """By gain, largest first. `trained_on` are the training clips with their properties; `human` is the error rate of
    a person on the same clips."""
    made = [_advice(weak, trained_on, curve, human) for weak in slices]
    return sorted(made, key=lambda one: -one.gain)


def phrase(condition: Condition) -> str:
    """A condition as part of a sentence on clips."""
    value = condition.value if isinstance(condition.value, str) else f"{condition.value:.4g}"
    if (known := PHRASES.get((condition.property, condition.relation))) is not None:
        return known.format(value)
    return OTHERWISE[condition.relation].format(property=condition.property, value=value)


def _advice(
    weak: Slice, trained_on: Sequence[Outcome] | None, curve: LearningCurve | None, human: float | None
) -> Advice:
    target = weak.rest_rate if human is None else human
    gain = weak.share * (weak.error_rate - target)
    if trained_on is None or not all(_is_known(condition.property, trained_on) for condition in weak.conditions):
        return Advice(weak, target, gain, None, None)
    there = sum(all(condition.is_met_by(clip.properties) for condition in weak.conditions) for clip in trained_on)
    # Where there are none, as many as the slice's share of all would be.
    base = there or max(1.0, weak.share * len(trained_on))
    wanted = curve.clips_for(base, weak.error_rate, target) if curve is not None else None
    clips = None if wanted is None or wanted > MANY * base else round(wanted - there)
    return Advice(weak, target, gain, there, clips)


def _is_known(name: str, clips: Sequence[Outcome]) -> bool:
    return any(name in clip.properties for clip in clips)


def _round(clips: int | None) -> str:
    """To one figure or two: nobody knows more."""
    return f"{float(f'{clips:.2g}'):,.0f}"
