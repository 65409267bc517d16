from typing import get_args

import msgspec
import numpy as np
import pytest

from common.errors import CloudError
from edge.asking import wire
from edge.settings import Cloud
from edge.speech.utterance import EndReason, UtteranceEnd, UtteranceFrames, UtteranceHead
from edge.spool.kept_frames import KEPT_CODEC
from protos import codec, speech_pb2
from protos.codec import CODECS
from protos.feature_spec import ACCEPTED_SPECS, DEFAULT_SPEC, FeatureSpec

HEAD = UtteranceHead(
    utterance_id="u",
    session_id="s",
    sequence_number=0,
    follows_utterance_id=None,
    started_at_unix_us=1,
    clock_synchronised=None,
    started_monotonic_s=0.0,
    stream_start_ms=0,
    vad="mel-1-mode-2",
)


END = UtteranceEnd(EndReason.ENDPOINT, 1000, 200, 600, 0.0, 0.0, None, None, None, None, None, 0, 0)


def test_every_number_of_levels_that_can_be_set_is_one_that_the_service_takes() -> None:
    assert Cloud().levels == DEFAULT_SPEC.levels
    settable = get_args(get_args(Cloud.__annotations__["levels"])[0])
    assert {wire.feature_spec(Cloud(levels=count)).fingerprint for count in settable} == set(ACCEPTED_SPECS)


def test_fewer_levels_and_the_tables_they_need_are_said_in_the_configuration() -> None:
    fewer = FeatureSpec(levels=16)
    cloud = Cloud(levels=16)
    said = wire.config(HEAD, cloud, "kitchen", fewer, 1, speech_pb2.CODEC_CONTEXT, replayed=False)
    assert said.feature_spec_fingerprint == fewer.fingerprint
    assert said.codec_tables == codec.tables_name(speech_pb2.CODEC_CONTEXT, fewer)
    said = wire.config(HEAD, cloud, "kitchen", fewer, 1, speech_pb2.CODEC_DEFLATE, replayed=True)
    assert said.replayed
    assert not said.explain
    assert not said.HasField("codec_tables")


def test_why_is_asked_for_where_a_person_wants_to_know() -> None:
    said = wire.config(
        HEAD, Cloud(), "kitchen", DEFAULT_SPEC, 1, speech_pb2.CODEC_CONTEXT, replayed=False, explain=True
    )
    assert said.explain


def test_frames_that_are_coded_already_need_no_encoder() -> None:
    levels = np.zeros((10, DEFAULT_SPEC.bands), np.int8)
    asked = []

    def encoder() -> codec.Encoder:
        asked.append(True)
        return codec.encoder(KEPT_CODEC, DEFAULT_SPEC)

    coded = encoder().encode(levels)
    asked.clear()
    heard = UtteranceFrames(0, levels, np.zeros(1600, np.int16), coded)
    assert wire.progress(heard, encoder, KEPT_CODEC).frames.data == coded
    assert not asked
    assert wire.progress(heard._replace(coded=None), encoder, KEPT_CODEC).frames.data == coded
    assert wire.progress(heard, encoder, speech_pb2.CODEC_RAW).frames.data == coded
    assert len(asked) == 2


def test_all_that_was_measured_is_sent_and_nothing_else() -> None:
    numbers = {"level_dbfs": -30.0, "pitch_hz": 120.0, "pitch_low_hz": 100.0, "pitch_high_hz": 150.0, "snr_db": 0.0}
    measured = msgspec.structs.replace(END, **numbers)
    told = wire.end(measured)
    assert {name: getattr(told, name) for name in numbers} == numbers
    assert not wire.end(END).HasField("pitch_hz")
    fields = {field.name for field in speech_pb2.UtteranceEnd.DESCRIPTOR.fields}
    own = {"duration_ms", "last_sound_monotonic_s", "ended_monotonic_s"}
    assert set(UtteranceEnd.__struct_fields__) - own == fields


def test_the_first_codec_that_both_know_is_chosen() -> None:
    specs = [speech_pb2.FeatureSpec(fingerprint=DEFAULT_SPEC.fingerprint)]
    for offered in (CODECS, CODECS[1:], (99, *CODECS[2:])):
        description = speech_pb2.DescribeResponse(feature_specs=specs, codecs=offered)
        assert wire.choose_codec("there:1", DEFAULT_SPEC, description) == next(c for c in offered if c in CODECS)
    with pytest.raises(CloudError, match=f"{FeatureSpec(levels=16).fingerprint}, but the service takes"):
        wire.choose_codec("there:1", FeatureSpec(levels=16), description)


def test_an_answer_that_the_service_could_not_write_down_settles_nothing() -> None:
    assert wire.answer(speech_pb2.Final()).settles
    assert not wire.answer(speech_pb2.Final(not_logged=True)).settles
