"""The frames of an utterance as the log keeps them, where the owner lets it: one in so many, for so many days.

Speech can be made of them again, so they are as private as what was said.
"""

import hashlib

import msgspec
import numpy as np

from protos import codec
from protos.codec import FRAMES_PER_MESSAGE_MAX, CodecError
from protos.coded_frames import KEPT_CODEC, UnreadableError, coding, encoder, spec_of
from protos.feature_spec import FeatureSpec, Levels


class KeptFeatures(msgspec.Struct, frozen=True, array_like=True):
    """Of one utterance."""

    coding: str
    """See protos/coded_frames.py."""
    pieces: tuple[tuple[int, bytes], ...]
    """Number of frames, and what the coder made of them."""


def is_drawn(device_id: str, utterance_id: str, share: float) -> bool:
    """Whether this utterance is one of that share; the same whenever it is asked, and on any service."""
    digest = hashlib.blake2b(f"{device_id}/{utterance_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") < share * 2**64


def pack(levels: Levels, spec: FeatureSpec) -> bytes:
    """All frames of an utterance, (frames, bands)."""
    coder = encoder(spec)
    pieces = tuple(
        (len(piece), coder.encode(piece))
        for first in range(0, len(levels), FRAMES_PER_MESSAGE_MAX)
        if len(piece := levels[first : first + FRAMES_PER_MESSAGE_MAX])
    )
    return msgspec.msgpack.encode(KeptFeatures(coding(spec), pieces))


def unpack(data: bytes) -> tuple[Levels, FeatureSpec]:
    """What `pack` packed. UnreadableError, a sentence."""
    try:
        kept = msgspec.msgpack.decode(data, type=KeptFeatures)
        spec = spec_of(kept.coding)
        decoder = codec.decoder(KEPT_CODEC, spec)
        read = [decoder.decode(coded, count) for count, coded in kept.pieces]
    except (msgspec.MsgspecError, CodecError) as error:
        raise UnreadableError(f"What was kept of it is damaged ({error}).") from error
    return (np.concatenate(read) if read else np.zeros((0, spec.bands), np.int8)), spec
