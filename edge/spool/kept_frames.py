"""The frames of an utterance as the board keeps them: as they are sent, and decoded where others are to be made of
them."""

from collections.abc import Iterable

import numpy as np

from edge.speech.utterance import UtteranceFrames
from edge.spool.store import Piece
from protos import codec
from protos.codec import CodecError
from protos.coded_frames import KEPT_CODEC, UnreadableError, coding, encoder, spec_of

__all__ = ["KEPT_CODEC", "UnreadableError", "coding", "encoder", "frames", "spec_of"]

_NO_SAMPLES = np.zeros(0, np.int16)


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
