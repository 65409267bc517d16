"""How frames are kept on the board: coded once, as they are sent, and decoded where others are to be made of them."""

from collections.abc import Iterable

import numpy as np

from edge.speech.utterance import UtteranceFrames
from edge.spool.store import Piece
from protos import codec, speech_pb2
from protos.codec import CodecError
from protos.feature_spec import ACCEPTED_SPECS, FeatureSpec

KEPT_CODEC: int = speech_pb2.CODEC_CONTEXT

_NO_SAMPLES = np.zeros(0, np.int16)


class UnreadableError(ValueError):
    """Raised when frames were kept in a way that this release does not know, or are damaged; a sentence."""


def coding(spec: FeatureSpec) -> str:
    """Names how this release keeps frames: what they are, and the tables that they are coded with."""
    return f"{spec.fingerprint} {codec.tables_name(KEPT_CODEC, spec)}"


def encoder(spec: FeatureSpec) -> codec.Encoder:
    """For one utterance."""
    return codec.encoder(KEPT_CODEC, spec)


def spec_of(named: str) -> FeatureSpec:
    """The spec of frames whose coding has this name. UnreadableError."""
    spec = ACCEPTED_SPECS.get(named.partition(" ")[0])
    if spec is None or coding(spec) != named:
        raise UnreadableError(f"It was kept as {named}, which this release cannot read.")
    return spec


def frames(named: str, pieces: Iterable[Piece]) -> list[UtteranceFrames]:
    """The frames of an utterance, without their sound. UnreadableError."""
    spec = spec_of(named)
    decoder = codec.decoder(KEPT_CODEC, spec)
    try:
        return [
            UtteranceFrames(piece.first_frame, decoder.decode(piece.data, piece.frames), _NO_SAMPLES, piece.data)
            for piece in pieces
        ]
    except CodecError as error:
        raise UnreadableError(f"What was kept of it is damaged ({error}).") from error
