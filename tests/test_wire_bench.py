"""The short form of `scripts/bench wire`: its parts, without engines."""

from benchmarks import audio_codecs, wire
from benchmarks.corpus import joined
from protos import speech_pb2
from protos.feature_spec import DEFAULT_SPEC, FeatureSpec
from tests.conftest import Speech


def test_speech_takes_at_most_9_kbit_a_second_and_less_than_deflate(speech: Speech) -> None:
    [messages] = wire.utterances(speech.path("latte"))
    rates = wire.rates_of(DEFAULT_SPEC, [messages]).kbits
    assert rates[speech_pb2.CODEC_CONTEXT] < 9
    assert rates[speech_pb2.CODEC_CONTEXT] < 0.7 * rates[speech_pb2.CODEC_DEFLATE]
    assert rates[speech_pb2.CODEC_DEFLATE] < rates[speech_pb2.CODEC_RAW] < 64


def test_a_spec_without_tables_has_the_simple_codecs(speech: Speech) -> None:
    [messages] = wire.utterances(speech.path("latte"))
    rates = wire.rates_of(FeatureSpec(levels=32), [messages]).kbits
    assert set(rates) == {speech_pb2.CODEC_DEFLATE, speech_pb2.CODEC_RAW}


def test_sound_is_packed_and_counted(speech: Speech) -> None:
    [messages] = wire.utterances(speech.path("latte"))
    samples = joined(messages)
    for name, pack in audio_codecs.packings().items():
        if pack is not None:
            packed = pack(samples)
            assert 0 < packed.payload_bytes <= samples.nbytes, name
            assert abs(len(packed.samples) - len(samples)) < 1600
