"""What one utterance was like."""

import msgspec
import numpy as np
import pytest

from cloud.drift.facts import Facts, facts_of
from cloud.drift.shape import BANDS, bands_hz, shape_of
from protos import speech_pb2
from protos.feature_spec import DEFAULT_SPEC, LogMel

SPEECH_MS = (300, 2300)


def utterance(noise_db: float = -60, voice_db: float = -10, echo_ms: float = 0) -> LogMel:
    """3 s: syllables of 250 ms from SPEECH_MS on, over noise; log10 mel power of 80 bands."""
    draw = np.random.default_rng(1)
    power = np.full((300, 80), 10 ** (noise_db / 10))
    for start in range(30, 230, 25):
        power[start : start + 13] += 10 ** (voice_db / 10)
    if echo_ms:
        for frame in range(1, 300):
            power[frame] = np.maximum(power[frame], power[frame - 1] * 10 ** (-60 * 10 / echo_ms / 10))
    return (np.log10(power) + 0.3 * draw.standard_normal(power.shape)).astype(np.float32)


def config(**fields: object) -> speech_pb2.UtteranceConfig:
    return speech_pb2.UtteranceConfig(device_id="kitchen-2", utterance_id="u1", **fields)  # type: ignore[arg-type]


def end(**fields: object) -> speech_pb2.UtteranceEnd:
    return speech_pb2.UtteranceEnd(
        reason=speech_pb2.END_REASON_ENDPOINT,
        speech_start_ms=SPEECH_MS[0],
        speech_end_ms=SPEECH_MS[1],
        **fields,  # type: ignore[arg-type]
    )


def facts(final: speech_pb2.Final | None = None, **more: object) -> Facts:
    levels = DEFAULT_SPEC.quantise(utterance())
    final = speech_pb2.Final() if final is None else final
    return facts_of(levels, DEFAULT_SPEC, config(), end(), final, **more)  # type: ignore[arg-type]


def test_the_quietest_frames_are_the_room_and_the_loudest_the_voice() -> None:
    shape = shape_of(DEFAULT_SPEC.quantise(utterance(noise_db=-43, voice_db=-12)), DEFAULT_SPEC, SPEECH_MS)
    assert shape is not None
    assert np.allclose(shape.noise_bands_db, -43, atol=1.5)
    assert np.allclose(shape.speech_bands_db, -12, atol=1.5)
    assert len(shape.band_spread_db) == BANDS == len(bands_hz(DEFAULT_SPEC))


def test_ten_decibels_more_are_told_through_steps_of_nine() -> None:
    before, after = (
        shape_of(DEFAULT_SPEC.quantise(utterance(noise_db=db)), DEFAULT_SPEC, SPEECH_MS) for db in (-50, -40)
    )
    assert before is not None and after is not None
    assert np.allclose(np.subtract(after.noise_bands_db, before.noise_bands_db), 10, atol=1.5)


def test_syllables_are_counted_and_an_echo_falls_slowly() -> None:
    dry, wet = (
        shape_of(DEFAULT_SPEC.quantise(utterance(echo_ms=echo_ms)), DEFAULT_SPEC, SPEECH_MS) for echo_ms in (0, 1000)
    )
    assert dry is not None and wet is not None
    assert dry.syllables_per_s == pytest.approx(4.0, abs=0.6)
    assert dry.fall_db_per_s is not None and wet.fall_db_per_s is not None
    assert dry.fall_db_per_s > 3 * wet.fall_db_per_s
    assert wet.fall_db_per_s == pytest.approx(60, abs=25)


def test_too_few_frames_have_no_shape_and_are_facts_all_the_same() -> None:
    levels = np.zeros((5, 80), np.int8)
    few = facts_of(levels, DEFAULT_SPEC, config(), speech_pb2.UtteranceEnd(reason=1), speech_pb2.Final())
    assert few.noise_bands_db is None and few.speech_ms is None and few.duration_ms == 50
    none = facts_of(levels[:0], DEFAULT_SPEC, config(), end(), speech_pb2.Final(transcript="on"))
    assert none.duration_ms == 0 and none.speech_share is None and none.word_count == 1


def test_what_was_not_measured_is_none() -> None:
    one = facts()
    assert (one.level_dbfs, one.overruns, one.confidence, one.margin, one.unknown_share) == (None,) * 5
    assert one.was_empty and one.word_count == 0 and one.words_per_s is None


def test_the_pitch_is_what_the_board_measured() -> None:
    told = end(pitch_hz=120.0, pitch_low_hz=100.0, pitch_high_hz=180.5)
    one = facts_of(np.zeros((30, 80), np.int8), DEFAULT_SPEC, config(), told, speech_pb2.Final())
    assert (one.pitch_hz, one.pitch_low_hz, one.pitch_high_hz) == (120, 100, 180.5)
    assert facts().pitch_hz is None


def test_words_are_counted_and_not_kept() -> None:
    final = speech_pb2.Final(transcript="Dim the zorblight, please.")
    one = facts(final, knows_word={"dim", "the", "please"}.__contains__)
    assert (one.word_count, one.unknown_share, one.words_per_s) == (4, 0.25, 2.0)
    assert b"zorblight" not in msgspec.json.encode(one)


def test_the_margin_is_over_the_next_reading_with_other_words() -> None:
    def other(text: str, confidence: float) -> speech_pb2.Alternative:
        return speech_pb2.Alternative(transcript=text, confidence=confidence)

    final = speech_pb2.Final(transcript="on", confidence=0.9, alternatives=[other("on", 0.8), other("off", 0.3)])
    assert facts(final).margin == pytest.approx(0.6)


def test_time_is_the_boards_where_its_clock_is_right() -> None:
    levels = np.zeros((30, 80), np.int8)
    end_ = speech_pb2.UtteranceEnd(reason=1)

    def at(**fields: object) -> int | None:
        made = facts_of(levels, DEFAULT_SPEC, config(**fields), end_, speech_pb2.Final(), answered_at_unix_us=7_000_000)
        return made.at_unix_us

    assert at(started_at_unix_us=5_000_000, clock_synchronised=True) == 5_000_000
    assert at(started_at_unix_us=5_000_000, clock_synchronised=False) == 7_000_000
    assert at() == 7_000_000


def test_silence_before_is_since_the_end_of_the_utterance_before() -> None:
    before = Facts(device_id="kitchen-2", utterance_id="u0", at_unix_us=0, duration_ms=2000)
    assert facts(before=before, answered_at_unix_us=12_000_000).silence_before_s == 10.0
    assert facts(before=before, answered_at_unix_us=1_000_000).silence_before_s is None


def test_facts_are_written_and_read() -> None:
    one = facts(speech_pb2.Final(transcript="on", confidence=0.5))
    written = msgspec.json.encode(one)
    assert msgspec.json.decode(written, type=Facts) == one
    assert len(written) < 1500


def test_a_board_that_tells_impossible_times_breaks_nothing() -> None:
    levels = DEFAULT_SPEC.quantise(utterance())
    for start, stop in ((2300, 300), (5000, 9000), (0, 1), (2900, 9000)):
        odd = speech_pb2.UtteranceEnd(reason=1, speech_start_ms=start, speech_end_ms=stop)
        assert facts_of(levels, DEFAULT_SPEC, config(), odd, speech_pb2.Final()).speech_bands_db is not None
