"""A microphone that is covered, or another: the voice loses its top, or its bottom, while its middle stays."""

import numpy as np

from cloud.drift.causes.cause import Cause, Plot, bounded, since, who
from cloud.drift.change import Change
from cloud.drift.features import MIDDLE, TOP
from cloud.drift.shape import bands_hz
from protos.feature_spec import DEFAULT_SPEC

LOSS_DB_MIN, LOSS_DB_SURE = 3.5, 5.0
ROOM_SHARE, ROOM_LEAST = 0.4, 0.3
"""What the room's own sound loses there, of what the voice does; how much the cause is worth where it loses nothing."""
EDGE_DB = 4.0
"""A band that lost so much is lost."""


def find(change: Change) -> Cause | None:
    """None where the ends of the spectrum are as they were."""
    top_db, low_db = (change.effect(name).difference for name in ("voice_top", "voice_low"))
    end, loss_db = ("top", -top_db) if -top_db >= -low_db else ("bottom", -low_db)
    if loss_db < LOSS_DB_MIN:
        return None
    # Other people have other voices, and the same room behind them.
    room_db = room_loss_db(change, end)
    edge_hz = _edge_hz(change, end)
    side = "above" if end == "top" else "below"
    what = "covered, or another one" if end == "top" else "another one, or its filter is on"
    return Cause(
        "microphone",
        bounded(loss_db / LOSS_DB_SURE * min(1.0, max(ROOM_LEAST, room_db / (ROOM_SHARE * loss_db)))),
        f"{who(change)}: voices lost {loss_db:.0f} dB {side} {edge_hz:.0f} Hz {since(change)}: "
        f"the microphone is {what}.",
        "Look at the microphone: dust, tape, a case, a hand-free profile of Bluetooth. If it is to stay, collect 200 "
        "utterances through it.",
        {"loss_db": round(loss_db, 1), "edge_hz": edge_hz, "loss_of_room_db": round(room_db, 1)},
        Plot("bands", "voice"),
    )


def room_loss_db(change: Change, end: str) -> float:
    """By how much less of the noise comes from that end ("top", "bottom"), beside its middle."""
    moved = np.subtract(change.noise_after_db, change.noise_before_db)
    return float(moved[MIDDLE].mean() - moved[TOP if end == "top" else slice(0, 2)].mean())


def _edge_hz(change: Change, end: str) -> float:
    """Where the loss begins."""
    moved = np.subtract(change.voice_after_db, change.voice_before_db)
    lost = moved - moved[MIDDLE].mean() < -EDGE_DB
    hz = bands_hz(DEFAULT_SPEC)
    if end == "top":
        kept = np.flatnonzero(~lost[MIDDLE.stop :])
        first = MIDDLE.stop + (int(kept[-1]) + 1 if len(kept) else 0)
        return float(round(hz[min(first, len(hz) - 1)], -2))
    kept = np.flatnonzero(~lost[: MIDDLE.start])
    return float(round(hz[int(kept[0]) if len(kept) else MIDDLE.start], -1))
