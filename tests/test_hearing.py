"""hearing.py with a gate that calls loud blocks speech, and with the real one."""

import itertools
import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InputError, MicrophoneError, ParrotletError
from edge.clock import Clock
from edge.session import Session, new_utterance_id
from edge.settings import Segmenter
from edge.sound.source import Block, Interruption, Samples
from edge.speech import prosody
from edge.speech.activation import Button
from edge.speech.hearing import hear
from edge.speech.log_mel import log_mel
from edge.speech.signal_meter import dbfs
from edge.speech.turn import Completeness, Opinion, Turn
from edge.speech.utterance import (
    EndReason,
    Heard,
    SpeechGoesOn,
    SpeechSeemsOver,
    UtteranceEnd,
    UtteranceFrames,
    UtteranceHead,
)
from edge.speech.utterance_maker import JudgedBlock
from protos.feature_spec import DEFAULT_SPEC, FeatureSpec, Levels
from tests.voices import sung

CUT = Segmenter(pre_roll_ms=100, onset_ms=60, early_ms=60, hang_over_ms=200, hang_over_ms_max=200, utterance_s_max=5)


class LoudGate:
    """Speech is what is above -40 dBFS."""

    name = "loud"

    def __init__(self) -> None:
        self.resets = 0

    def is_speech(self, samples: Samples) -> bool:
        return dbfs(samples) > -40

    def reset(self) -> None:
        self.resets += 1


class ListSource:
    """Delivers what it was given, then ends or fails."""

    name = "list"

    def __init__(self, items: Sequence[Block | Interruption], error: ParrotletError | None = None) -> None:
        self._items = items
        self._error = error

    def blocks(self) -> Iterator[Block | Interruption]:
        yield from self._items
        if self._error:
            raise self._error

    def close(self) -> None:
        pass


class Whole(NamedTuple):
    """An utterance put together again."""

    head: UtteranceHead
    levels: Levels
    samples: Samples
    end: UtteranceEnd


def sound(text: str, seed: int = 1) -> list[Block]:
    """A block a letter: "_" is noise at -60 dBFS, "#" at -20."""
    random = np.random.default_rng(seed)
    deviations = [3277 if letter == "#" else 33 for letter in text]
    return [Block(random.normal(0, deviation, 320).astype(np.int16)) for deviation in deviations]


def assemble(heard: Iterator[Heard]) -> list[Whole]:
    """Whole utterances; fails where the order is not head, frames, end, or frames have holes."""
    wholes: list[Whole] = []
    head: UtteranceHead | None = None
    frames: list[UtteranceFrames] = []
    for item in heard:
        match item:
            case UtteranceHead():
                assert head is None
                head, frames = item, []
            case UtteranceFrames(first_frame, levels, _):
                assert head is not None
                assert first_frame == sum(len(earlier.levels) for earlier in frames)
                assert 1 <= len(levels) <= 1000
                frames.append(item)
            case UtteranceEnd():
                assert head is not None
                levels = np.concatenate([part.levels for part in frames])
                wholes.append(Whole(head, levels, np.concatenate([part.samples for part in frames]), item))
                head = None
    assert head is None
    return wholes


def utterances(items: Sequence[Block | Interruption]) -> list[Whole]:
    return assemble(hear(ListSource(items), gate=LoudGate(), segmenter=CUT))


def samples_of(blocks: Sequence[Block]) -> Samples:
    return np.concatenate([block.samples for block in blocks])


def test_an_utterance_holds_the_frames_of_its_own_sound_and_no_other() -> None:
    blocks = sound("_" * 20 + "#" * 30 + "_" * 30)
    [whole] = utterances(blocks)
    expected = samples_of(blocks[15:60])
    np.testing.assert_array_equal(whole.samples, expected)
    np.testing.assert_array_equal(whole.levels, DEFAULT_SPEC.quantise(log_mel(expected, DEFAULT_SPEC)))
    assert whole.head.stream_start_ms == 300
    assert (whole.end.duration_ms, whole.end.speech_start_ms, whole.end.speech_end_ms) == (900, 100, 700)
    assert whole.end.reason is EndReason.ENDPOINT


def test_frames_start_at_the_onset_and_go_out_every_100_ms() -> None:
    fed = 0

    def counted() -> Iterator[Block]:
        nonlocal fed
        for block in sound("_" * 20 + "#" * 30 + "_" * 30):
            fed += 1
            yield block

    class CountedSource(ListSource):
        def blocks(self) -> Iterator[Block | Interruption]:
            return counted()

    heard = hear(CountedSource([]), gate=LoudGate(), segmenter=CUT)
    sent = [(fed, len(item.levels)) for item in heard if isinstance(item, UtteranceFrames)]
    assert sent[0] == (23, 14)
    assert sent[1:4] == [(28, 10), (33, 10), (38, 10)]


def test_signal_facts_are_those_of_the_utterance() -> None:
    blocks = sound("_" * 100 + "#" * 50 + "_" * 30)
    blocks[120].samples[:32] = 32767
    [whole] = utterances(blocks)
    assert whole.end.level_dbfs == pytest.approx(-20, abs=1)
    assert whole.end.peak_dbfs == pytest.approx(0, abs=0.01)
    assert whole.end.noise_floor_dbfs == pytest.approx(-60, abs=1)
    assert whole.end.snr_db == pytest.approx(40, abs=1.5)
    assert whole.end.clipped_share == pytest.approx(32 / len(whole.samples))


def test_facts_that_nobody_knows_are_none() -> None:
    [whole] = utterances(sound("#" * 50))
    assert (whole.end.noise_floor_dbfs, whole.end.snr_db, whole.end.pitch_hz) == (None, None, None)


def test_pitch_is_that_of_the_speech() -> None:
    samples = np.concatenate([sung(110, 110, seconds=0.4), sung(180, 180)])
    gate = [block.samples for block in sound("_" * 40)]
    [whole] = utterances([*map(Block, gate), *map(Block, samples.reshape(-1, 320)), *map(Block, gate)])
    assert whole.end.pitch_hz == pytest.approx(180, rel=0.02)
    assert whole.end.pitch_low_hz == pytest.approx(110, rel=0.02)
    assert whole.end.pitch_high_hz == pytest.approx(180, rel=0.03)


def test_silence_and_nothing_give_nothing() -> None:
    assert utterances([]) == []
    assert utterances(sound("_" * 100)) == []
    assert utterances([Block(np.zeros(320, np.int16))] * 100) == []


def durations(turn: Turn, tell: Callable[[UtteranceHead, SpeechSeemsOver], Opinion]) -> list[int]:
    """Milliseconds of the utterances of two bursts 240 ms apart, where each earlier endpoint gets an opinion."""
    cut = Segmenter(pre_roll_ms=0, early_ms=60, hang_over_ms=200, hang_over_ms_min=100, hang_over_ms_max=300)
    source = ListSource(sound("#" * 20 + "_" * 12 + "#" * 20 + "_" * 30))
    head: UtteranceHead | None = None
    ends = []
    for heard in hear(source, gate=LoudGate(), segmenter=cut, turn=turn):
        match heard:
            case UtteranceHead():
                head = heard
            case SpeechSeemsOver():
                assert head is not None
                turn.tell(tell(head, heard))
            case UtteranceEnd():
                ends.append(heard.duration_ms)
    return ends


@pytest.mark.parametrize(
    ("completeness", "expected"),
    [
        (Completeness.UNKNOWN, [600, 600]),
        (Completeness.COMPLETE, [500, 500]),
        (Completeness.UNFINISHED, [400 + 240 + 400 + 300]),
    ],
)
def test_the_hang_over_follows_what_was_said(completeness: Completeness, expected: list[int]) -> None:
    assert durations(Turn(), lambda head, at: Opinion(head.utterance_id, at.speech_end_ms, completeness)) == expected


def sung_durations(*voices: Samples, pause_ms: int = 1000, opinion: Completeness = Completeness.UNKNOWN) -> list[int]:
    """Milliseconds of the utterances of voices in a quiet room, with the default hang-overs; what the words say comes
    at once."""
    room = np.random.default_rng(7).normal(0, 10, 60 * 16_000).astype(np.int16)
    position = 16_000
    for each in voices:
        room[position : position + len(each)] += each
        position += len(each) + pause_ms * 16
    source = ListSource([Block(samples) for samples in room[: position + 32_000].reshape(-1, 320)])
    head: UtteranceHead | None = None
    turn, ends = Turn(), []
    for heard in hear(source, gate=LoudGate(), segmenter=Segmenter(pre_roll_ms=0), turn=turn):
        match heard:
            case UtteranceHead():
                head = heard
            case SpeechSeemsOver():
                assert head is not None
                turn.tell(Opinion(head.utterance_id, heard.speech_end_ms, opinion))
            case UtteranceEnd():
                ends.append(heard.duration_ms)
    return ends


FALLING, LEVEL, RISING = sung(150, 95, fade_db=12), sung(150, 150, fade_db=3), sung(150, 240, fade_db=12)


def test_the_hang_over_is_shorter_after_a_falling_voice() -> None:
    assert sung_durations(FALLING, LEVEL, RISING) == [1500, 1700, 1700]


def test_a_pause_after_a_falling_voice_ends_an_utterance_only_if_it_is_long() -> None:
    assert sung_durations(FALLING, FALLING, pause_ms=540) == [1500, 1500]
    assert sung_durations(FALLING, FALLING, pause_ms=440) == [1000 + 440 + 1500]
    assert sung_durations(LEVEL, FALLING, pause_ms=540) == [1000 + 540 + 1500]


@pytest.mark.parametrize(("opinion", "hang_over_ms"), [(Completeness.COMPLETE, 400), (Completeness.UNFINISHED, 900)])
def test_words_beat_the_voice(opinion: Completeness, hang_over_ms: int) -> None:
    assert sung_durations(FALLING, RISING, opinion=opinion) == [1000 + hang_over_ms] * 2


def test_the_voice_is_listened_to_once_a_pause_and_not_where_words_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def measured(blocks: Sequence[Samples], *rest: Sequence[float]) -> None:
        asked.append(len(blocks))

    monkeypatch.setattr(prosody, "measure", measured)
    assert sung_durations(FALLING, LEVEL, pause_ms=540) == [1000 + 540 + 1700]
    assert asked == [prosody.SPAN_BLOCKS + prosody.AFTER_BLOCKS] * 2
    sung_durations(FALLING, LEVEL, opinion=Completeness.COMPLETE)
    assert len(asked) == 2
    # The pause between them is over too soon; the one at the end is not.
    assert sung_durations(FALLING, LEVEL, pause_ms=340) == [1000 + 340 + 1700]
    assert len(asked) == 3


def test_an_opinion_on_another_pause_or_utterance_changes_nothing() -> None:
    late = durations(Turn(), lambda head, at: Opinion(head.utterance_id, at.speech_end_ms - 20, Completeness.COMPLETE))
    other = durations(Turn(), lambda head, at: Opinion("another", at.speech_end_ms, Completeness.COMPLETE))
    assert late == other == [600, 600]


def test_all_speech_is_sent_before_it_is_said_to_seem_over() -> None:
    source = ListSource(sound("_" * 10 + "#" * 23 + "_" * 4 + "#" * 10 + "_" * 30))
    heard = list(hear(source, gate=LoudGate(), segmenter=CUT))
    at = next(index for index, event in enumerate(heard) if isinstance(event, SpeechSeemsOver))
    frames = sum(len(event.levels) for event in heard[:at] if isinstance(event, UtteranceFrames))
    # Five blocks of pre-roll, 23 of speech, three of pause; a window reaches 15 ms beyond the last hop, and a frame or
    # two wait for their neighbour.
    assert frames >= (5 + 23 + 3) * 2 - 4
    assert heard[at] == SpeechSeemsOver((5 + 23) * 20)
    assert any(isinstance(event, SpeechGoesOn) for event in heard[at:])


def test_long_speech_is_cut_and_linked_and_loses_nothing() -> None:
    blocks = sound("_" * 10 + "#" * 600 + "_" * 40)
    wholes = utterances(blocks)
    assert [whole.end.reason for whole in wholes] == [EndReason.MAX_LENGTH, EndReason.MAX_LENGTH, EndReason.ENDPOINT]
    assert [whole.head.follows_utterance_id for whole in wholes] == [None, *(w.head.utterance_id for w in wholes[:-1])]
    np.testing.assert_array_equal(np.concatenate([whole.samples for whole in wholes]), samples_of(blocks[5:620]))
    for whole in wholes:
        expected = DEFAULT_SPEC.quantise(log_mel(whole.samples, DEFAULT_SPEC))
        np.testing.assert_array_equal(whole.levels, expected)


@pytest.mark.parametrize(("cause", "reason"), [("lost", EndReason.SOURCE_LOST), ("muted", EndReason.MUTED)])
def test_an_interruption_ends_what_runs_and_nothing_reaches_across(cause: str, reason: EndReason) -> None:
    gate = LoudGate()
    interruption = Interruption("muted" if cause == "muted" else "lost")
    blocks = [*sound("_____#####___"), interruption, *sound("_#####____", seed=2)]
    first, second = assemble(hear(ListSource(blocks), gate=gate, segmenter=CUT))
    assert (first.end.reason, first.end.duration_ms) == (reason, 260)
    np.testing.assert_array_equal(second.samples, samples_of(sound("_#####____", seed=2)))
    assert gate.resets == 1


def test_lost_sound_is_counted_as_gaps_and_goes_on() -> None:
    blocks = sound("_" * 10 + "#" * 30 + "_" * 20)
    blocks[5] = blocks[5]._replace(overruns=9)
    blocks[20] = blocks[20]._replace(overruns=2)
    blocks[30] = blocks[30]._replace(overruns=1)
    blocks[55] = blocks[55]._replace(overruns=4)
    [whole] = utterances(blocks)
    assert (whole.end.overruns, whole.end.gaps) == (3, 2)
    assert whole.end.duration_ms == 45 * 20


@pytest.mark.parametrize(
    ("error", "reason"), [(InputError("cut"), EndReason.END_OF_INPUT), (MicrophoneError("gone"), EndReason.SOURCE_LOST)]
)
def test_an_error_of_the_source_comes_after_the_end_of_what_was_running(
    error: ParrotletError, reason: EndReason
) -> None:
    heard: list[Heard] = []
    with pytest.raises(type(error)):
        heard.extend(hear(ListSource(sound("_____######"), error), gate=LoudGate(), segmenter=CUT))
    [whole] = assemble(iter(heard))
    assert whole.end.reason is reason
    assert whole.end.duration_ms == 220


def test_a_stopped_source_ends_with_the_reason_of_whoever_stopped_it() -> None:
    source = ListSource(sound("_____######"))
    [whole] = assemble(hear(source, gate=LoudGate(), segmenter=CUT, end_of_source_reason=EndReason.STOPPED))
    assert whole.end.reason is EndReason.STOPPED


def test_an_input_that_ends_within_a_word_is_heard_to_its_end() -> None:
    cut = Segmenter(pre_roll_ms=200, onset_ms=60)
    [whole] = assemble(hear(ListSource(sound("_" * 20 + "##")), gate=LoudGate(), segmenter=cut))
    assert (whole.end.reason, whole.end.duration_ms) == (EndReason.END_OF_INPUT, 240)
    assert assemble(hear(ListSource(sound("##")), gate=LoudGate(), segmenter=cut)) == []


def test_nothing_from_before_the_press_is_heard() -> None:
    now_s = 0.0
    button = Button(window_s=1.0, clock=lambda: now_s)
    blocks = sound("#" * 30 + "_" + "#" * 20 + "_" * 20 + "#" * 20 + "_" * 20)

    def on_block(samples: Samples, is_speech: bool) -> None:
        nonlocal now_s
        now_s += 0.02
        if now_s == pytest.approx(28 * 0.02):
            button.press()

    [whole] = assemble(hear(ListSource(blocks), gate=LoudGate(), segmenter=CUT, activation=button, on_block=on_block))
    assert whole.head.stream_start_ms == 27 * 20
    np.testing.assert_array_equal(whole.samples[:320], blocks[27].samples)
    assert whole.end.reason is EndReason.ENDPOINT


class Remote:
    """Listens for so many blocks, and notes what it is told."""

    def __init__(self, blocks: int) -> None:
        self.left = blocks
        self.told: list[str] = []

    def admit(self, block: JudgedBlock) -> Sequence[JudgedBlock]:
        self.left -= 1
        return (block,) if self.left >= 0 else ()

    def interrupted(self) -> None:
        self.told.append("interrupted")

    def heard_onset(self) -> None:
        self.told.append("onset")

    def heard_end(self) -> None:
        self.told.append("end")


def test_what_runs_ends_as_muted_when_nobody_listens_any_more() -> None:
    remote = Remote(20)
    source = ListSource(sound("_" * 5 + "#" * 30))
    [whole] = assemble(hear(source, gate=LoudGate(), segmenter=CUT, activation=remote))
    assert (whole.end.reason, whole.end.duration_ms) == (EndReason.MUTED, 400)
    assert remote.told == ["onset", "end"]


def test_a_cut_is_no_end_to_whoever_listens() -> None:
    remote = Remote(1000)
    source = ListSource(sound("#" * 300 + "_" * 20))
    assert len(assemble(hear(source, gate=LoudGate(), segmenter=CUT, activation=remote))) == 2
    assert remote.told == ["onset", "onset", "end"]


def test_every_block_is_shown_with_its_judgement_also_when_nobody_listens() -> None:
    shown: list[bool] = []
    source = ListSource(sound("_##_"))
    list(hear(source, gate=LoudGate(), activation=Remote(0), on_block=lambda _, is_speech: shown.append(is_speech)))
    assert shown == [False, True, True, False]


def test_times_are_those_of_capture() -> None:
    ticks = itertools.count(1)
    now_s = 0.0

    def clock_s() -> float:
        return now_s

    class LiveSource(ListSource):
        def blocks(self) -> Iterator[Block | Interruption]:
            nonlocal now_s
            for block in super().blocks():
                now_s = 100 + 0.02 * next(ticks)
                yield block

    clock = Clock(
        monotonic_s=clock_s, unix_us=lambda: round((1_700_000_000 + now_s) * 1e6), is_synchronised=lambda: True
    )
    source = LiveSource(sound("_" * 20 + "#" * 30 + "_" * 30))
    [whole] = assemble(hear(source, gate=LoudGate(), segmenter=CUT, session=Session("run-1", clock)))
    assert whole.head.started_monotonic_s == pytest.approx(100.3)
    assert whole.head.started_at_unix_us == pytest.approx(1_700_000_100_300_000, abs=2)
    assert whole.head.clock_synchronised is True
    assert whole.end.last_sound_monotonic_s == pytest.approx(101.0)
    assert whole.end.ended_monotonic_s == pytest.approx(101.2)


def test_a_session_numbers_its_utterances_through_all_its_sources() -> None:
    session = Session("run-1")
    text = "_" * 10 + "#" * 10 + "_" * 20 + "#" * 10
    wholes = [
        whole
        for _ in range(2)
        for whole in assemble(hear(ListSource(sound(text)), gate=LoudGate(), segmenter=CUT, session=session))
    ]
    assert [whole.head.sequence_number for whole in wholes] == [0, 1, 2, 3]
    assert {whole.head.session_id for whole in wholes} == {"run-1"}
    assert len({whole.head.utterance_id for whole in wholes}) == 4
    assert {whole.head.vad for whole in wholes} == {"loud"}
    assert {whole.head.follows_utterance_id for whole in wholes} == {None}


def test_utterance_ids_sort_by_time_and_differ_where_the_clock_stands() -> None:
    ids = [new_utterance_id(1_700_000_000_000_000 + second * 1_000_000) for second in range(50)]
    assert ids == sorted(ids)
    assert len({new_utterance_id(0) for _ in range(1000)}) == 1000
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", ids[0])


def test_another_spec_gives_its_own_levels() -> None:
    source = ListSource(sound("_" * 10 + "#" * 20))
    [whole] = assemble(hear(source, gate=LoudGate(), segmenter=CUT, spec=FeatureSpec(levels=128)))
    assert whole.levels.max() > 64


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 150), st.booleans()), max_size=6))
def test_no_loud_stretch_is_lost(spans: list[tuple[int, bool]]) -> None:
    # A lone block after a cut, at the very end, has no frame: here another follows.
    text = "".join(("#" if is_loud else "_") * length for length, is_loud in spans) + "_"
    blocks = sound(text)
    heard = set()
    for whole in utterances(blocks):
        start = whole.head.stream_start_ms // 20
        np.testing.assert_array_equal(whole.samples, samples_of(blocks[start : start + whole.end.duration_ms // 20]))
        heard |= set(range(start, start + whole.end.duration_ms // 20))
    for match in re.finditer("#{3,}", text):
        assert heard >= set(range(*match.span()))


def buzz(seconds: float) -> Samples:
    """A vowel in four syllables a second, which the real gate takes for a voice."""
    time_s = np.arange(round(seconds * 16_000)) / 16_000
    tones = ((1 / (1 + ((hz - 600) / 200) ** 2)) * np.sin(2 * np.pi * hz * time_s + hz) for hz in range(120, 3000, 120))
    return np.rint(3000 * sum(tones) * np.sin(4 * math.pi * time_s) ** 2).astype(np.int16)


def test_with_its_defaults_it_hears_a_voice_in_a_quiet_room() -> None:
    room = np.random.default_rng(9).normal(0, 20, 16_000 * 6).round().astype(np.int16)
    room[32_000:64_000] += buzz(2)
    [whole] = assemble(hear(ListSource([Block(samples) for samples in room.reshape(-1, 320)])))
    assert whole.head.stream_start_ms <= 2000 <= whole.head.stream_start_ms + whole.end.speech_start_ms + 100
    assert 3900 <= whole.head.stream_start_ms + whole.end.speech_end_ms <= 4400
    assert whole.head.vad == "mel-1-mode-2"


def test_a_tenth_of_a_second_holds_no_utterance() -> None:
    assert assemble(hear(ListSource([Block(samples) for samples in buzz(0.1).reshape(-1, 320)]))) == []
