"""A noise that was not there before: the floor rises, and the voice stays as loud as it was."""

import numpy as np

from cloud.drift.causes.cause import Cause, Plot, bounded, since, who
from cloud.drift.causes.noise_shapes import Floats, Likeness, likest
from cloud.drift.change import Change
from cloud.drift.shape import bands_hz
from protos.feature_spec import DEFAULT_SPEC

RISE_DB_MIN = 2.0
RISE_DB_SURE = 5.0
COLOUR = ("noise_tilt", "noise_hump")
COLOUR_PROMINENCE, COLOUR_FIT = 0.8, 0.4
"""A noise that is hardly louder yet shows by its colour: where that moved about as much as anything did."""
MOST = 0.7
"""Of the added power."""
LOW_HZ, HIGH_HZ = 1200.0, 1500.0


def find(change: Change) -> Cause | None:
    """None where the floor did not rise by itself."""
    rise_db = max(change.effect("noise_floor").difference, _band_rise_db(change))
    louder_db = max(0.0, change.effect("level").difference)
    is_louder = rise_db - louder_db >= RISE_DB_MIN
    if not is_louder and (rise_db < 0 or change.prominence(*COLOUR) < COLOUR_PROMINENCE):
        return None
    added = added_power(change)
    like = likest(added)
    where = _where(added)
    what = f"noise floor up {rise_db:.0f} dB" if is_louder else "another noise, hardly louder,"
    parts = [f"{what} {since(change)}"]
    parts += [where] if where else []
    parts += [f"like `{like.name}`"] if like is not None else []
    noise = f"`{like.name}`" if like is not None else "such noise"
    move = "move the board" if change.is_board else "look at what runs beside the boards"
    return Cause(
        "noise",
        bounded((rise_db - louder_db) / RISE_DB_SURE) if is_louder else COLOUR_FIT,
        f"{who(change)}: {', '.join(parts)}.",
        f"Collect 200 utterances with {noise} behind them, or {move}.",
        {
            "rise_db": round(rise_db, 1),
            "before_dbfs": round(change.effect("noise_floor").before, 1),
            "after_dbfs": round(change.effect("noise_floor").after, 1),
            "snr_after_db": round(change.effect("snr").after, 1),
        }
        | _told(like),
        Plot("bands", "noise"),
    )


def _band_rise_db(change: Change) -> float:
    """Of the noise's bands together: a noise of few bands hardly moves the floor of the whole."""
    before, after = (
        np.power(10.0, np.array(bands) / 10).sum() for bands in (change.noise_before_db, change.noise_after_db)
    )
    return float(10 * np.log10(max(after, 1e-30) / max(before, 1e-30)))


def added_power(change: Change) -> Floats:
    """Power that each band has more than before, as a share of all; in bands of equal width of pitch."""
    before, after = (np.power(10.0, np.array(bands) / 10) for bands in (change.noise_before_db, change.noise_after_db))
    added = np.maximum(after - before, 0)
    shares: Floats = added / max(float(added.sum()), 1e-30)
    return shares


def _where(added: Floats) -> str:
    """Where most of it is: below or above a frequency, if it is."""
    hz = np.array(bands_hz(DEFAULT_SPEC))
    # A mel band's power is a mean over its width: what is heard is the sum.
    power = np.cumsum(added * np.gradient(hz))
    power /= max(float(power[-1]), 1e-30)
    below, above = float(hz[int((power >= MOST).argmax())]), float(hz[int((power >= 1 - MOST).argmax())])
    if below <= LOW_HZ:
        return f"most below {_round(below)} Hz"
    return f"most above {_round(above)} Hz" if above >= HIGH_HZ else ""


def _round(hz: float) -> int:
    return int(round(hz, -2)) if hz >= 300 else int(round(hz / 50) * 50)


def _told(like: Likeness | None) -> dict[str, float]:
    return {} if like is None else {"apart_db": round(like.apart_db, 1)}
