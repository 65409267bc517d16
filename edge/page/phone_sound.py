"""What a phone's microphone sends: how it begins, stretches of sound that know where they belong, and words between.

A binary message is the number of its first sample, 32 bits, little-endian, and samples of 16 bits, mono. Numbers count
on over what was lost, and begin again behind 2^32.
"""

import struct
from typing import Literal

import msgspec
import numpy as np

from common.errors import InputError
from edge.sound.source import Samples

BYTES_MAX = 1 << 16
NUMBERS = 1 << 32


class Begin(msgspec.Struct, frozen=True):
    """The first message."""

    rate_hz: int
    mode: Literal["hands-free", "push"] = "hands-free"


class Word(msgspec.Struct, frozen=True):
    """What is said between stretches."""

    gap: str | None = None
    """Sound is missing here: why."""
    end: bool = False
    """Nobody speaks any more."""


UNREADABLE = (msgspec.DecodeError, UnicodeEncodeError, RecursionError)
"""What msgspec raises of text that is none of ours: also of brackets in brackets."""

RATES_HZ = range(8_000, 192_001)


def begin(message: str) -> Begin:
    """InputError, a sentence, for what is none."""
    try:
        begun = msgspec.json.decode(message, type=Begin)
    except UNREADABLE as error:
        raise InputError('A microphone begins with a line such as {"rate_hz": 48000, "mode": "push"}.') from error
    if begun.rate_hz not in RATES_HZ:
        raise InputError(f"{begun.rate_hz} Hz is not a rate from {RATES_HZ[0]} to {RATES_HZ[-1]} Hz.")
    return begun


def word(message: str) -> Word:
    """InputError, a sentence, for what is none."""
    try:
        return msgspec.json.decode(message, type=Word)
    except UNREADABLE as error:
        raise InputError("That is no message of a microphone.") from error


class Stretches:
    """Puts them in their order."""

    def __init__(self) -> None:
        self.samples = 0
        """That came."""
        self._next: int | None = None

    def push(self, message: bytes) -> tuple[int, Samples]:
        """How many samples are missing before it, and the sound. InputError, a sentence, for what is none."""
        if len(message) <= 4 or len(message) > BYTES_MAX or len(message) % 2:
            raise InputError(f"{len(message)} bytes are no stretch of sound.")
        (first,) = struct.unpack_from("<I", message)
        samples = np.frombuffer(message, "<i2", offset=4).astype(np.int16)
        missing = 0 if self._next is None else (first - self._next) % NUMBERS
        if missing >= NUMBERS // 2:
            raise InputError("Sound comes in its order.")
        self._next = (first + samples.size) % NUMBERS
        self.samples += samples.size
        return missing, samples
