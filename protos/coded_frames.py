"""How frames are kept, on a board or by the service: coded once, with the name of what they are."""

from protos import codec, speech_pb2
from protos.feature_spec import ACCEPTED_SPECS, FeatureSpec

KEPT_CODEC: int = speech_pb2.CODEC_CONTEXT


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
