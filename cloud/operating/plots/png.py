"""Frames as a picture: a PNG of a few colours, made with the standard library. Pure."""

import struct
import zlib

import numpy as np

from protos.feature_spec import Levels

STOPS = ((14, 22, 30), (30, 62, 98), (38, 110, 118), (84, 158, 108), (190, 196, 92), (250, 236, 178))
"""Quiet to loud; lightness rises evenly, so that it reads without colours, on light and dark paper."""

BAND_PIXELS, FRAME_PIXELS = 2, 1


def spectrogram(levels: Levels, count: int) -> bytes:
    """Of (frames, bands) levels of `count`, low bands below; a pixel a frame, two a band."""
    image = np.repeat(levels.T[::-1], BAND_PIXELS, axis=0).astype(np.uint8)
    height, width = image.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), image], axis=1).tobytes()
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"PLTE", _palette(count)), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def _palette(count: int) -> bytes:
    places = np.linspace(0, len(STOPS) - 1, count)
    channels = [np.interp(places, range(len(STOPS)), channel) for channel in zip(*STOPS, strict=True)]
    return np.stack(channels, axis=1).round().astype(np.uint8).tobytes()
