"""Noises by the shape of their spectrum: sixteen numbers each, so that a noise can be named.

Of `dishes`, `tap` and `exercise bike` they are the long-time means of the first halves of three recordings of Speech
Commands (Warden 2018, CC BY 4.0); `white`, `pink` and `hum` are computed.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

APART_DB_MAX = 4.5
RANGE_DECADES = 3
"""What is so far below the loudest band is as good as nothing."""

Floats = npt.NDArray[np.float64]


class Likeness(NamedTuple):
    """To a noise that is known."""

    name: str
    apart_db: float
    """Root of the mean square between the two."""


SHAPES: dict[str, tuple[float, ...]] = {
    "dishes": (-2.8, -0.4, 9.0, 6.8, 3.6, 3.8, 5.7, 5.5, 3.2, -0.1, -3.2, -3.8, -4.4, -6.6, -7.9, -8.2),
    "tap": (3.1, -1.8, -2.3, -1.7, -1.5, -2.5, -2.7, -1.8, -1.1, 0.7, 1.1, 1.9, 7.1, 3.8, -0.7, -1.6),
    "exercise bike": (6.8, 3.8, 1.1, -1.0, 1.1, 2.8, 0.5, 0.1, -1.4, -1.6, -2.4, -2.4, -1.9, -1.2, -2.1, -2.2),
    "white": (-0.6, -0.3, -0.7, -0.5, -0.3, -0.3, 0.0, -0.1, 0.1, 0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 0.6),
    "pink": (11.4, 6.5, 3.7, 2.6, 1.9, 0.8, 0.2, -0.8, -1.4, -2.0, -2.6, -3.1, -3.3, -3.8, -4.5, -5.6),
    "hum": (26.2, 16.2, 1.0, *(-3.3,) * 13),
}
"""dB of the mean power of each of shape.BANDS bands, of mean 0."""


def likest(shares: Floats) -> Likeness | None:
    """The noise that added power is most like; None where it is like none. `shares`: of each band's mean power."""
    db = 10 * np.log10(np.maximum(shares, shares.max() * 10**-RANGE_DECADES + 1e-30))
    db -= db.mean()
    apart = {name: float(np.sqrt(np.square(db - np.array(shape)).mean())) for name, shape in SHAPES.items()}
    name = min(apart, key=lambda one: apart[one])
    return Likeness(name, apart[name]) if apart[name] <= APART_DB_MAX else None
