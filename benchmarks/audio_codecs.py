"""What people would send instead of frames: sound, as it is or packed by FLAC or Opus."""

import io
import shutil
import subprocess
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import soundfile

from benchmarks import corpus
from edge.sound.source import Samples

OPUS_KBITS = (6, 12, 16, 24)


class Packed(NamedTuple):
    """A stretch of sound after its journey."""

    samples: Samples
    payload_bytes: int
    """Without the container."""


Packing = Callable[[Samples], Packed]


def pcm(samples: Samples) -> Packed:
    return Packed(samples, samples.nbytes)


def flac(samples: Samples) -> Packed:
    file = io.BytesIO()
    soundfile.write(file, samples, corpus.RATE_HZ, format="FLAC", subtype="PCM_16")
    return Packed(samples, len(file.getvalue()))


def opus(kbits: int) -> Packing:
    """By opusenc, voice, 20 ms packets, variable rate."""

    def pack(samples: Samples) -> Packed:
        command = ["opusenc", "--quiet", "--raw", "--raw-rate", "16000", "--raw-chan", "1"]
        command += ["--bitrate", str(kbits), "--speech", "-", "-"]
        ogg = subprocess.run(command, input=samples.tobytes(), capture_output=True, check=True).stdout
        decode = ["opusdec", "--quiet", "--force-wav", "--rate", "16000", "-", "-"]
        wav = subprocess.run(decode, input=ogg, capture_output=True, check=True).stdout
        heard = np.frombuffer(wav[44:], np.int16)
        return Packed(heard, _packet_bytes(ogg))

    return pack


def packings() -> dict[str, Packing | None]:
    """All, by name; None: its program is not installed."""
    found: dict[str, Packing | None] = {"PCM, 16 bit": pcm, "FLAC": flac}
    there = shutil.which("opusenc") is not None and shutil.which("opusdec") is not None
    return found | {f"Opus, {kbits} kbit/s asked for": opus(kbits) if there else None for kbits in OPUS_KBITS}


def _packet_bytes(ogg: bytes) -> int:
    """Bytes of the packets in Ogg pages (RFC 3533), without the two of headers."""
    position, bodies = 0, []
    while position < len(ogg):
        segments = ogg[position + 26]
        table = ogg[position + 27 : position + 27 + segments]
        bodies.append(sum(table))
        position += 27 + segments + sum(table)
    return sum(bodies[2:])
