"""Reads one utterance's requests and holds them to the rules of protos/speech.proto. Pure: no network, no clock."""

from collections.abc import Collection
from typing import NamedTuple

import grpc
from google.protobuf.message import DecodeError

from cloud.decoders.languages import ENGLISH
from protos import codec, speech_pb2
from protos.codec import CodecError
from protos.feature_spec import ACCEPTED_SPECS, FeatureSpec, Levels
from protos.name import NAME

MESSAGE_BYTES_MAX = 1 << 18
"""Largest request; told in Describe, enforced by the server's receive limit and here."""

FRAMES_WITHOUT_SOUND_MAX = 100
"""Frames beyond the longest utterance that are still taken: a board's clock of blocks is not ours."""


class Refusal(Exception):
    """Raised when a stream breaks a rule: the RPC ends with this status and sentence."""

    def __init__(self, code: grpc.StatusCode, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class Opened(NamedTuple):
    """The configuration came."""

    config: speech_pb2.UtteranceConfig
    spec: FeatureSpec


class Spoken(NamedTuple):
    """The next frames came."""

    levels: Levels


class SeemsOver(NamedTuple):
    """An earlier endpoint."""

    speech_end_ms: int


class GoesOn(NamedTuple):
    """It was wrong."""


class Ended(NamedTuple):
    """The end came; nothing may follow."""

    end: speech_pb2.UtteranceEnd


Event = Opened | Spoken | SeemsOver | GoesOn | Ended


class RequestStream:
    """State of one stream of requests."""

    def __init__(
        self, *, utterance_s_max: int, domains: frozenset[str], languages: Collection[str] = (ENGLISH,)
    ) -> None:
        """`languages` are first parts of BCP 47 tags."""
        self._frames_max = utterance_s_max * 100 + FRAMES_WITHOUT_SOUND_MAX
        self._utterance_s_max = utterance_s_max
        self._domains = domains
        self._languages = languages
        self._decoder: codec.Decoder | None = None
        self._frames = 0
        self._ended = False

    @property
    def frames(self) -> int:
        """So many have come."""
        return self._frames

    def accept(self, data: bytes) -> Event:
        """What the next request says. Refusal if it breaks a rule; the stream is over then."""
        if len(data) > MESSAGE_BYTES_MAX:
            raise _invalid(f"a request of {len(data)} bytes; {MESSAGE_BYTES_MAX} is the most")
        try:
            request = speech_pb2.RecognizeRequest.FromString(data)
        except DecodeError as error:
            raise _invalid("a request that is not a parrotlet.v1.RecognizeRequest") from error
        kind = request.WhichOneof("request")
        if kind is None:
            raise _invalid("an empty request")
        if self._ended:
            raise _invalid(f"{kind} after the end")
        if kind == "config":
            return self._open(request.config)
        if self._decoder is None:
            raise _invalid(f"{kind} before the configuration")
        match kind:
            case "frames":
                return self._decode(self._decoder, request.frames)
            case "speech_seems_over":
                return SeemsOver(request.speech_seems_over.speech_end_ms)
            case "speech_goes_on":
                return GoesOn()
            case _:
                return self._end(request.end)

    def _open(self, config: speech_pb2.UtteranceConfig) -> Opened:
        if self._decoder is not None:
            raise _invalid("a second configuration")
        _check_config(config)
        spec = ACCEPTED_SPECS.get(config.feature_spec_fingerprint)
        if spec is None:
            raise Refusal(
                grpc.StatusCode.FAILED_PRECONDITION,
                f"The board sends features {_short(config.feature_spec_fingerprint)}, "
                f"but this service takes {', '.join(ACCEPTED_SPECS)}.",
            )
        if config.codec not in codec.CODECS:
            names = ", ".join(speech_pb2.Codec.Name(known) for known in codec.CODECS)
            raise Refusal(
                grpc.StatusCode.FAILED_PRECONDITION, f"There is no codec of number {config.codec}; there are {names}."
            )
        tables = codec.tables_name(config.codec, spec)
        if tables is not None and config.codec_tables != tables:
            raise Refusal(
                grpc.StatusCode.FAILED_PRECONDITION,
                f"The board packs frames by the tables {_short(config.codec_tables)}, but this service has {tables}.",
            )
        if config.HasField("domain") and config.domain not in self._domains:
            raise Refusal(
                grpc.StatusCode.FAILED_PRECONDITION,
                f"There is no domain {_short(config.domain)}; there are {', '.join(sorted(self._domains))}.",
            )
        if config.HasField("language") and config.language.split("-")[0].lower() not in self._languages:
            several = len(self._languages) > 1
            there = f"{len(self._languages)} others are" if several else f"{', '.join(self._languages)} is"
            raise Refusal(
                grpc.StatusCode.FAILED_PRECONDITION,
                f"The language {_short(config.language)} is not understood here; {there}.",
            )
        self._decoder = codec.decoder(config.codec, spec)
        return Opened(config, spec)

    def _decode(self, decoder: codec.Decoder, frames: speech_pb2.Frames) -> Spoken:
        if frames.first_frame != self._frames:
            raise _invalid(f"frame {frames.first_frame} where frame {self._frames} is due")
        if self._frames + frames.frame_count > self._frames_max:
            raise _invalid(f"an utterance longer than {self._utterance_s_max} s")
        try:
            levels = decoder.decode(frames.data, frames.frame_count)
        except CodecError as error:
            raise _invalid(f"frames that cannot be decoded, {error}") from error
        self._frames += frames.frame_count
        return Spoken(levels)

    def _end(self, end: speech_pb2.UtteranceEnd) -> Ended:
        if end.reason == speech_pb2.END_REASON_UNSPECIFIED or end.reason not in speech_pb2.EndReason.values():
            raise _invalid(f"an end without a known reason, {end.reason}")
        self._ended = True
        return Ended(end)


def _check_config(config: speech_pb2.UtteranceConfig) -> None:
    for name in ("utterance_id", "device_id", "session_id", "follows_utterance_id"):
        text = getattr(config, name)
        if text or name in ("utterance_id", "device_id"):
            check_id(name, text)
    limits = {"domain": 64, "language": 35, "edge_version": 64, "local_model_version": 64, "vad": 32}
    limits |= {"local_transcript": 1000, "local_result_id": 64}
    for name, characters_max in limits.items():
        if len(getattr(config, name)) > characters_max:
            raise _invalid(f"{name} of {len(getattr(config, name))} characters; {characters_max} is the most")
    if not 1 <= config.attempt <= 10_000:
        raise _invalid(f"attempt {config.attempt}; 1 to 10000 are allowed")


def check_id(name: str, text: str) -> None:
    """Refusal if it is none."""
    if not NAME.fullmatch(text):
        raise _invalid(f"{name} {_short(text)}; 1 to 64 characters of A-Z a-z 0-9 . _ - are allowed")


def _invalid(what: str) -> Refusal:
    return Refusal(grpc.StatusCode.INVALID_ARGUMENT, f"The client sent {what}.")


def _short(text: str) -> str:
    """A stranger's text, safe and short enough for a sentence."""
    return ascii(text if len(text) <= 64 else text[:61] + "...")
