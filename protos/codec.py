"""Packs levels into messages and back, 100 ms at a time; each message can be decoded as it comes.

State lasts one attempt: a new attempt takes a new encoder and a new decoder.
"""

import zlib
from typing import Protocol

import numpy as np

from protos import speech_pb2
from protos.coder_tables import tables_of
from protos.feature_spec import FeatureSpec, Levels
from protos.frame_coder import ContextDecoder, ContextEncoder, DamageError

FRAMES_PER_MESSAGE_MAX = 1000
"""Bound of Frames.frame_count; what a decoder allocates follows from it."""


class CodecError(ValueError):
    """Raised when bytes are not what the codec would have written."""


class Encoder(Protocol):
    def encode(self, levels: Levels) -> bytes:
        """Bytes of the next frames; levels is (frames, bands)."""


class Decoder(Protocol):
    def decode(self, data: bytes, frame_count: int) -> Levels:
        """The next frame_count frames; CodecError if data holds anything else."""


class RawEncoder:
    """One byte a level, frame after frame."""

    def encode(self, levels: Levels) -> bytes:
        return levels.tobytes()


class RawDecoder:
    def __init__(self, spec: FeatureSpec) -> None:
        self._spec = spec

    def decode(self, data: bytes, frame_count: int) -> Levels:
        return _frames(data, frame_count, self._spec)


class DeflateEncoder:
    """Differences from the frame before, modulo 256, in one deflate stream that is flushed after each message."""

    def __init__(self, spec: FeatureSpec) -> None:
        self._previous = np.zeros((1, spec.bands), np.uint8)
        self._stream = zlib.compressobj(level=6, wbits=-zlib.MAX_WBITS)

    def encode(self, levels: Levels) -> bytes:
        if not len(levels):
            return b""
        frames = np.concatenate([self._previous, levels.view(np.uint8)])
        self._previous = frames[-1:]
        differences = np.diff(frames, axis=0)
        return self._stream.compress(differences.tobytes()) + self._stream.flush(zlib.Z_SYNC_FLUSH)


class DeflateDecoder:
    def __init__(self, spec: FeatureSpec) -> None:
        self._spec = spec
        self._previous = np.zeros((1, spec.bands), np.uint8)
        self._stream = zlib.decompressobj(wbits=-zlib.MAX_WBITS)

    def decode(self, data: bytes, frame_count: int) -> Levels:
        _check_count(frame_count)
        wanted = frame_count * self._spec.bands
        try:
            # One byte more than wanted: a message that unpacks to more is refused, not unpacked.
            unpacked = self._stream.decompress(data, wanted + 1)
        except zlib.error as error:
            raise CodecError(f"not a deflate stream: {error}") from error
        # An encoder flushes its stream and never ends it.
        if len(unpacked) != wanted or self._stream.unconsumed_tail or self._stream.eof:
            raise CodecError(f"{len(unpacked)} bytes unpacked where {frame_count} frames are said to be {wanted}")
        differences = np.frombuffer(unpacked, np.uint8).reshape(frame_count, self._spec.bands)
        summed = np.cumsum(np.concatenate([self._previous, differences]), axis=0, dtype=np.uint8)
        self._previous = summed[-1:]
        return _frames(summed[1:].tobytes(), frame_count, self._spec)


class GuardedContextDecoder:
    """The context decoder behind the bounds of all codecs."""

    def __init__(self, spec: FeatureSpec) -> None:
        self._decoder = ContextDecoder(spec)

    def decode(self, data: bytes, frame_count: int) -> Levels:
        _check_count(frame_count)
        try:
            return self._decoder.decode(data, frame_count)
        except DamageError as error:
            raise CodecError(str(error)) from error


def encoder(codec: int, spec: FeatureSpec) -> Encoder:
    """A new encoder; ValueError if there is none of that kind."""
    if codec == speech_pb2.CODEC_RAW:
        return RawEncoder()
    if codec == speech_pb2.CODEC_DEFLATE:
        return DeflateEncoder(spec)
    if codec == speech_pb2.CODEC_CONTEXT:
        return ContextEncoder(spec)
    raise ValueError(f"no codec has the number {codec}")


def decoder(codec: int, spec: FeatureSpec) -> Decoder:
    """A new decoder; ValueError if there is none of that kind."""
    if codec == speech_pb2.CODEC_RAW:
        return RawDecoder(spec)
    if codec == speech_pb2.CODEC_DEFLATE:
        return DeflateDecoder(spec)
    if codec == speech_pb2.CODEC_CONTEXT:
        return GuardedContextDecoder(spec)
    raise ValueError(f"no codec has the number {codec}")


CODECS = (speech_pb2.CODEC_CONTEXT, speech_pb2.CODEC_DEFLATE, speech_pb2.CODEC_RAW)
"""All that are there, the preferred one first."""


def tables_name(codec: int, spec: FeatureSpec) -> str | None:
    """Version and hash of the tables that both sides must have; None: the codec needs none."""
    return tables_of(spec).name if codec == speech_pb2.CODEC_CONTEXT else None


def _frames(data: bytes, frame_count: int, spec: FeatureSpec) -> Levels:
    _check_count(frame_count)
    if len(data) != frame_count * spec.bands:
        raise CodecError(f"{len(data)} bytes where {frame_count} frames of {spec.bands} levels are said")
    levels = np.frombuffer(data, np.int8).reshape(frame_count, spec.bands)
    if int(levels.min()) < 0 or int(levels.max()) >= spec.levels:
        raise CodecError(f"a level outside 0 to {spec.levels - 1}")
    return levels


def _check_count(frame_count: int) -> None:
    if not 1 <= frame_count <= FRAMES_PER_MESSAGE_MAX:
        raise CodecError(f"{frame_count} frames in a message; 1 to {FRAMES_PER_MESSAGE_MAX} are allowed")
