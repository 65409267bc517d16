"""Calls that no board makes: requests of valid ones with their bytes turned, cut, doubled and mixed up, and such as
hypothesis built. The same seed gives the same calls."""

import base64
import functools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from google.protobuf.descriptor import MethodDescriptor
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from hypothesis import strategies as st

from benchmarks import made_messages
from benchmarks.mutations import changed
from benchmarks.path import RECOGNISE
from edge.sound.audio_file import AudioFile
from edge.sound.source import Block
from edge.speech.log_mel import log_mel
from protos import codec, enrolment_pb2, speech_pb2
from protos.feature_spec import DEFAULT_SPEC, Levels

SPEECH = Path(__file__).parent.parent / "tests" / "speech"

BOARD, UTTERANCE = b"board-00", b"utterance-000000"
"""Stand for who calls and what is said; whoever makes the call puts its own there, of the same length."""

BUILT_SHARE = 0.1
"""Of the calls; the others are mutants of these and of valid ones."""
MESSAGE_FRAMES, FRAMES = 10, 30
WEIGHTS = {"Recognize": 12, "Renew": 2}
"""Of the methods; 1 of the others."""

SIGNING_REQUEST = (
    "MIHHMG8CAQAwDTELMAkGA1UEAwwCbWUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQz4CMDARHY+9x/PAFw9xo7NeHigSz8pad3"
    "t+M1NnyoBzK4KfC9VOC3SpRhnXl7U88cL/gsfRtj86skwjFN5HAeoAAwCgYIKoZIzj0EAwIDSAAwRQIhANuJMcaOvqsevZGizLIw"
    "imB2QeE57ocez607mYX2Q70LAiAmXrsQagXqZSysgFiMAYWA4YMGmsJGnKrcb6ikeFa76g=="
)
"""One of P-256, made once and for all: their signatures are never the same twice."""

_FILES = (speech_pb2, enrolment_pb2, health_pb2, reflection_pb2)
METHODS: dict[str, MethodDescriptor] = {
    f"/{service.full_name}/{method.name}": method
    for file in _FILES
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
"""All that a service offers, by their paths."""


class Call(NamedTuple):
    """A method and what it is told."""

    path: str
    requests: tuple[bytes, ...]

    def __str__(self) -> str:
        return f"{self.path} {' '.join(request.hex() or '-' for request in self.requests)}"


def calls(number: int, seed: int) -> Iterator[Call]:
    """So many."""
    draw = random.Random(seed)
    valid = _valid()
    built = _built(max(1, round(number * BUILT_SHARE)), seed)
    yield from built[:number]
    parents = {path: valid.get(path, []) * 9 + [each for each in built if each.path == path] for path in METHODS}
    paths = [path for path in METHODS if parents[path]]
    weights = [_weight(path) for path in paths]
    for _ in range(number - len(built)):
        (path,) = draw.choices(paths, weights)
        parent, other = draw.choice(parents[path]), draw.choice(parents[path])
        yield Call(path, changed(draw, parent.requests, other.requests))


def said(codec_number: int, frames: int = FRAMES) -> Call:
    """Speech as a board sends it, of a sentence from the middle on."""
    levels = _levels()[:frames]
    encoder = codec.encoder(codec_number, DEFAULT_SPEC)
    config = speech_pb2.UtteranceConfig(
        device_id=BOARD.decode(),
        utterance_id=UTTERANCE.decode(),
        session_id="s",
        feature_spec_fingerprint=DEFAULT_SPEC.fingerprint,
        codec=speech_pb2.Codec.Name(codec_number),
        codec_tables=codec.tables_name(codec_number, DEFAULT_SPEC),
        attempt=1,
        vad="mel-1-mode-2",
    )
    requests = [speech_pb2.RecognizeRequest(config=config)]
    for first in range(0, len(levels), MESSAGE_FRAMES):
        part = levels[first : first + MESSAGE_FRAMES]
        packed = speech_pb2.Frames(first_frame=first, frame_count=len(part), data=encoder.encode(part))
        requests.append(speech_pb2.RecognizeRequest(frames=packed))
    over = speech_pb2.SpeechSeemsOver(speech_end_ms=10 * len(levels))
    end = speech_pb2.UtteranceEnd(reason=speech_pb2.END_REASON_ENDPOINT, speech_end_ms=10 * len(levels))
    requests += [speech_pb2.RecognizeRequest(speech_seems_over=over), speech_pb2.RecognizeRequest(end=end)]
    return Call(RECOGNISE, tuple(each.SerializeToString() for each in requests))


@functools.cache
def _levels() -> Levels:
    file = sorted(SPEECH.glob("*.flac"))[0]
    sound = np.concatenate([block.samples for block in AudioFile(str(file)).blocks() if isinstance(block, Block)])
    levels = DEFAULT_SPEC.quantise(log_mel(sound, DEFAULT_SPEC))
    return levels[len(levels) // 2 :]


def _valid() -> dict[str, list[Call]]:
    made = base64.b64decode(SIGNING_REQUEST)
    enrol = enrolment_pb2.EnrolRequest(secret="0" * 11, signing_request=made, device_id="me")
    renew = enrolment_pb2.RenewRequest(signing_request=made)
    single = {
        "/parrotlet.v1.Enrolment/Enrol": enrol.SerializeToString(),
        "/parrotlet.v1.Identity/Renew": renew.SerializeToString(),
    }
    return {path: [Call(path, (request,))] for path, request in single.items()} | {
        RECOGNISE: [said(number) for number in codec.CODECS]
    }


def _built(number: int, seed: int) -> list[Call]:
    weights = {path: _weight(path) for path in METHODS}
    built = []
    for path, method in METHODS.items():
        one = made_messages.messages(method.input_type, _USUAL).map(lambda message: message.SerializeToString())
        requests = st.lists(one, min_size=1, max_size=6) if method.client_streaming else one.map(lambda each: [each])
        if path.endswith("/Recognize"):
            # Else hardly any would get beyond its first message.
            requests = st.one_of(requests, st.builds(lambda rest: [said_config(), *rest], requests))
        share = max(1, round(number * weights[path] / sum(weights.values())))
        built += [Call(path, tuple(each)) for each in made_messages.examples(requests, share, seed)]
    return built


def said_config() -> bytes:
    """A first request that is in order."""
    return said(speech_pb2.CODEC_RAW, frames=0).requests[0]


def _weight(path: str) -> int:
    return WEIGHTS.get(path.rpartition("/")[2], 1)


_USUAL: made_messages.Usual = {
    "parrotlet.v1.UtteranceConfig.device_id": st.just(BOARD.decode()),
    "parrotlet.v1.UtteranceConfig.utterance_id": st.just(UTTERANCE.decode()),
    "parrotlet.v1.UtteranceConfig.session_id": st.just("s"),
    "parrotlet.v1.UtteranceConfig.follows_utterance_id": st.just("u"),
    "parrotlet.v1.UtteranceConfig.feature_spec_fingerprint": st.just(DEFAULT_SPEC.fingerprint),
    "parrotlet.v1.UtteranceConfig.codec": st.sampled_from(codec.CODECS),
    "parrotlet.v1.UtteranceConfig.domain": st.sampled_from(["home", "coffee"]),
    "parrotlet.v1.UtteranceConfig.language": st.sampled_from(["en", "en-GB"]),
    "parrotlet.v1.UtteranceConfig.edge_version": st.just("0"),
    "parrotlet.v1.UtteranceConfig.local_model_version": st.just("0"),
    "parrotlet.v1.UtteranceConfig.vad": st.just("v"),
    "parrotlet.v1.UtteranceConfig.attempt": st.integers(1, 3),
    "parrotlet.v1.UtteranceConfig.codec_tables": st.just(
        codec.tables_name(speech_pb2.CODEC_CONTEXT, DEFAULT_SPEC) or ""
    ),
    "parrotlet.v1.Frames.first_frame": st.integers(0, 2),
    "parrotlet.v1.Frames.frame_count": st.integers(1, 10),
    "parrotlet.v1.Frames.data": st.integers(1, 10).map(lambda frames: bytes(frames * DEFAULT_SPEC.bands)),
    "parrotlet.v1.UtteranceEnd.reason": st.integers(1, 6),
    "parrotlet.v1.ForgetRequest.device_id": st.just(BOARD.decode()),
    "parrotlet.v1.FeedbackRequest.device_id": st.just(BOARD.decode()),
    "parrotlet.v1.FeedbackRequest.utterance_id": st.just(UTTERANCE.decode()),
    "parrotlet.v1.FeedbackRequest.feedback_id": st.sampled_from(["f", "g"]),
    "parrotlet.v1.FeedbackRequest.given_by": st.just("ab12"),
    "parrotlet.v1.FeedbackRequest.result_id": st.just("timer-10"),
    "parrotlet.v1.FeedbackRequest.choice": st.integers(0, 1),
    "grpc.health.v1.HealthCheckRequest.service": st.sampled_from(["", "parrotlet.v1.Speech"]),
}
