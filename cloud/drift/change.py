"""What differs since when: the means of all numbers before and after a change, for whoever names its cause. Pure."""

from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np

from cloud.drift.features import Row

VERSIONS = ("edge_version", "local_model_version", "vad", "service_version", "engine", "model", "domain_version")
"""Of facts. Who changes one of them expects a change."""


class Effect(msgspec.Struct, frozen=True):
    """On one number."""

    before: float
    after: float
    score: float
    """Mean of the scores after: in standard deviations of what is usual."""

    @property
    def difference(self) -> float:
        return self.after - self.before


NONE = Effect(0.0, 0.0, 0.0)


class VersionChange(msgspec.Struct, frozen=True):
    """One of VERSIONS, near the beginning of a change."""

    what: str
    before: str
    after: str


class Change(msgspec.Struct, frozen=True):
    """Of one stream."""

    stream: str
    """A board's name, or that of a group."""
    is_board: bool
    began_at_unix_us: int | None
    """The utterance with which it seems to have begun."""
    told_at_unix_us: int | None
    utterances: int
    """Since it began; or the last of them, from which it is known."""
    suspect: str
    """The feature that told it."""
    evidence: float
    """To be compared with a run length."""
    effects: dict[str, Effect]
    """By the feature's name; what was not measured before and after is not in it."""
    shifts: dict[str, float]
    """Of blocks of features, and of the voice's shape: how far off all of it is, in standard deviations."""
    noise_before_db: tuple[float, ...]
    noise_after_db: tuple[float, ...]
    voice_before_db: tuple[float, ...]
    voice_after_db: tuple[float, ...]
    spread_change_db: tuple[float, ...]
    intents_before: dict[str, float]
    """Shares; "" is what was not understood."""
    intents_after: dict[str, float]
    versions: tuple[VersionChange, ...]
    boards_before: dict[str, float] = {}
    """Shares of all utterances, where several are watched together."""
    boards_after: dict[str, float] = {}
    new_words: tuple[tuple[str, int], ...] = ()
    """Words that the domain lacks, and how often each was said since; only where somebody read the log for it."""
    utterance_ids: tuple[tuple[str, str], ...] = ()
    """Device and utterance, since it began."""

    def effect(self, name: str) -> Effect:
        """Of a feature; no effect where it was not measured."""
        return self.effects.get(name, NONE)

    def without(self, device_id: str) -> "Change":
        """The same, in which nothing names that board."""
        before, after = (
            {board: share for board, share in shares.items() if board != device_id}
            for shares in (self.boards_before, self.boards_after)
        )
        left = tuple(key for key in self.utterance_ids if key[0] != device_id)
        return msgspec.structs.replace(self, boards_before=before, boards_after=after, utterance_ids=left)

    def prominence(self, *names: str) -> float:
        """How much of the largest effect of all the largest of these is, 0 to 1."""
        largest = max((abs(effect.score) for effect in self.effects.values()), default=0.0)
        return max(abs(self.effect(name).score) for name in names) / max(largest, 1e-9)


def effects_of(names: Sequence[str], usual: Row, differences: Row, scores: Row) -> dict[str, Effect]:
    """`usual`: the means before, (features,); `differences` from what was usual at their time and `scores` of the
    utterances since, (utterances, features)."""
    found = {}
    for number, name in enumerate(names):
        here = ~np.isnan(scores[:, number])
        if here.any():
            before = float(usual[number])
            mean = float(differences[here, number].mean())
            found[name] = Effect(
                round(before, 4), round(before + mean, 4), round(float(scores[here, number].mean()), 3)
            )
    return found


def bands(usual: Row, differences: Row, which: slice) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Means of bands before and after."""
    before = usual[which]
    known = differences[:, which][~np.isnan(differences[:, which]).any(axis=1)]
    after = before + (known.mean(axis=0) if len(known) else 0.0)
    return tuple(np.round(before, 1).tolist()), tuple(np.round(after, 1).tolist())


def shares(intents: Sequence[str | None]) -> dict[str, float]:
    """Of each intent."""
    return {intent: count / len(intents) for intent, count in Counter(intent or "" for intent in intents).most_common()}
