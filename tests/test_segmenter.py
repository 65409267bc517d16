"""segmenter.py: its rules one by one, and what must hold for any sequence of judgements."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.speech.segmenter import Endpoint, Event, GoesOn, Onset, SeemsOver, Segmenter, Spoken
from edge.speech.utterance import EndReason


class Cut(NamedTuple):
    """An utterance put together again; blocks are their own indices."""

    blocks: list[int]
    speech: range
    reason: EndReason
    follows_on: bool


def segmenter(
    pre_roll: int = 3, onset: int = 2, hang_over: int = 4, limit: int = 40, early: int = 2, longest: int | None = None
) -> Segmenter[int]:
    return Segmenter(
        pre_roll_blocks=pre_roll,
        onset_blocks=onset,
        early_blocks=early,
        hang_over_blocks=hang_over,
        hang_over_blocks_max=hang_over if longest is None else longest,
        utterance_blocks_max=limit,
    )


def judgements(text: str) -> list[bool]:
    """ "_" is silence, "#" is speech."""
    return [letter == "#" for letter in text]


def cut(cutter: Segmenter[int], speech: Sequence[bool], reason: EndReason = EndReason.END_OF_INPUT) -> list[Cut]:
    """Utterances of a whole input; fails where events come in a wrong order."""
    events: list[Event[int]] = []
    for index, is_speech in enumerate(speech):
        events += cutter.push(index, is_speech)
    return assemble(events + cutter.flush(reason))


def assemble(events: list[Event[int]]) -> list[Cut]:
    cuts: list[Cut] = []
    running: Onset[int] | None = None
    blocks: list[int] = []
    seems_over = False
    for event in events:
        match event:
            case Onset():
                assert running is None
                running, blocks = event, list(event.blocks)
            case Spoken(block):
                assert running is not None
                blocks.append(block)
            case SeemsOver(end):
                assert running is not None and not seems_over
                assert 0 < end <= len(blocks)
                seems_over = True
            case GoesOn():
                assert seems_over
                seems_over = False
            case Endpoint(reason, start, end):
                seems_over = False
                assert running is not None
                assert 0 <= start == running.speech_start_block < end <= len(blocks)
                cuts.append(Cut(blocks, range(blocks[0] + start, blocks[0] + end), reason, running.follows_on))
                running = None
    assert running is None
    return cuts


def test_an_utterance_is_pre_roll_speech_and_hang_over() -> None:
    assert cut(segmenter(), judgements("_____####____~~~~")) == [
        Cut(list(range(2, 13)), range(5, 9), EndReason.ENDPOINT, False)
    ]


def test_streaming_starts_at_the_onset() -> None:
    cutter = segmenter()
    assert [cutter.push(index, is_speech) for index, is_speech in enumerate(judgements("__##"))] == [
        [],
        [],
        [],
        [Onset((0, 1, 2, 3), 2, False)],
    ]
    assert cutter.push(4, True) == [Spoken(4)]


@pytest.mark.parametrize("text", ["", "____", "__#__#__#__", "#_#_#_#_" * 50])
def test_stray_speech_starts_nothing(text: str) -> None:
    assert cut(segmenter(), judgements(text)) == []


def test_a_stray_silence_does_not_spoil_an_onset() -> None:
    [only] = cut(segmenter(onset=4), judgements("_____###_##_____"))
    assert only.speech == range(5, 11)


def test_an_onset_that_hesitates_for_ever_stays_bounded() -> None:
    cutter = segmenter(pre_roll=3, onset=4)
    [only] = cut(cutter, judgements("##" + "#_" * 500 + "####____"))
    assert len(only.blocks) <= 3 + 2 * 4 + 3 + 4


def test_a_stray_speech_does_not_prolong_the_hang_over() -> None:
    [only] = cut(segmenter(), judgements("###__#__________"))
    assert only.speech == range(3)
    assert only.blocks == list(range(8))


def test_speech_resumes_within_the_hang_over() -> None:
    [only] = cut(segmenter(), judgements("###___##________"))
    assert only.speech == range(8)


def test_speech_at_the_last_moment_of_the_hang_over_is_kept() -> None:
    [only] = cut(segmenter(), judgements("###___######____"))
    assert only.speech == range(12)


def test_pre_roll_never_reaches_into_the_utterance_before() -> None:
    first, second = cut(segmenter(), judgements("###_____###____"))
    assert first.blocks == list(range(7))
    assert second.blocks == list(range(7, 15))
    assert not second.follows_on


def test_long_speech_is_cut_into_utterances_that_follow_on() -> None:
    cuts = cut(segmenter(), [True] * 100)
    assert [len(piece.blocks) for piece in cuts] == [36, 36, 28]
    assert [piece.reason for piece in cuts] == [EndReason.MAX_LENGTH, EndReason.MAX_LENGTH, EndReason.END_OF_INPUT]
    assert [piece.follows_on for piece in cuts] == [False, True, True]
    assert [block for piece in cuts for block in piece.blocks] == list(range(100))


@pytest.mark.parametrize(
    ("spoken", "pause", "is_cut"),
    [(290, 14, False), (290, 15, True), (340, 7, False), (340, 8, True), (395, 1, True), (200, 19, False)],
)
def test_the_nearer_the_limit_the_shorter_a_pause_it_is_cut_at(spoken: int, pause: int, is_cut: bool) -> None:
    """A limit of 400 blocks and a hang-over; the last quarter begins at 300."""
    pieces = cut(segmenter(hang_over=20, limit=420), [True] * spoken + [False] * pause + [True] * 10)
    assert len(pieces) == (2 if is_cut else 1)
    if is_cut:
        first, second = pieces
        assert (first.reason, second.follows_on) == (EndReason.MAX_LENGTH, True)
        assert (len(first.blocks), second.blocks[0]) == (spoken + pause, spoken + pause)


def test_silence_at_the_limit_leads_to_no_empty_utterance() -> None:
    [only] = cut(segmenter(), [True] * 36 + [False] * 50)
    assert only.reason is EndReason.ENDPOINT
    assert len(only.blocks) == 40


def test_silence_after_a_cut_ends_what_follows_on_at_its_hang_over() -> None:
    _, second = cut(segmenter(), [True] * 37 + [False] * 50)
    assert second == Cut(list(range(36, 41)), range(36, 37), EndReason.ENDPOINT, True)


@pytest.mark.parametrize("reason", list(EndReason))
def test_a_flush_ends_what_is_running_with_its_reason(reason: EndReason) -> None:
    [only] = cut(segmenter(), judgements("__###_"), reason)
    assert (only.reason, only.speech) == (reason, range(2, 5))


def test_a_word_cut_short_by_the_end_of_the_input_is_told() -> None:
    text = judgements("_" * 20 + "###_")
    [only] = cut(segmenter(pre_roll=10, onset=4), text)
    assert only == Cut(list(range(10, 24)), range(20, 23), EndReason.END_OF_INPUT, False)
    assert cut(segmenter(pre_roll=10, onset=4), text, EndReason.MUTED) == []


def test_too_short_an_input_holds_no_utterance() -> None:
    assert cut(segmenter(pre_roll=10, onset=6), [True] * 5) == []


def test_a_flush_forgets_the_pre_roll() -> None:
    cutter = segmenter()
    cut(cutter, judgements("___#"), EndReason.SOURCE_LOST)
    assert cutter.push(4, True) == []
    assert cutter.push(5, True) == [Onset((4, 5), 0, False)]


@pytest.mark.parametrize(
    "parts",
    [
        {"pre_roll": 33},
        {"onset": 17},
        {"hang_over": 34},
        {"onset": 0},
        {"hang_over": 0},
        {"early": 0},
        {"hang_over": 5, "longest": 4},
    ],
)
def test_a_limit_without_room_for_its_parts_is_refused(parts: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="has no room"):
        segmenter(**parts)


def told(cutter: Segmenter[int], text: str) -> list[Event[int]]:
    """What it tells of earlier endpoints and ends."""
    events = [event for index, is_speech in enumerate(judgements(text)) for event in cutter.push(index, is_speech)]
    return [event for event in events if isinstance(event, SeemsOver | GoesOn | Endpoint)]


def test_speech_seems_over_before_it_is() -> None:
    assert told(segmenter(), "_###__") == [SeemsOver(4)]
    assert told(segmenter(), "_###____") == [SeemsOver(4), Endpoint(EndReason.ENDPOINT, 1, 4)]


def test_speech_that_goes_on_takes_the_earlier_endpoint_back() -> None:
    assert told(segmenter(), "_###__##") == [SeemsOver(4), GoesOn()]
    assert told(segmenter(), "_###__##__") == [SeemsOver(4), GoesOn(), SeemsOver(8)]


def test_a_stray_speech_takes_nothing_back() -> None:
    assert told(segmenter(hang_over=8), "_###__#__") == [SeemsOver(4)]


def test_a_short_stop_within_a_word_is_not_told() -> None:
    assert told(segmenter(), "_###_###_#") == []


@pytest.mark.parametrize(("blocks", "ends_at"), [(2, 7), (3, 7), (4, 8), (6, 10), (7, 10)])
def test_the_hang_over_of_a_pause_can_be_changed_within_bounds(blocks: int, ends_at: int) -> None:
    cutter = segmenter(hang_over=4, longest=6)
    assert cutter.pause_speech_end_block is None
    assert told(cutter, "_###__") == [SeemsOver(4)]
    assert cutter.pause_speech_end_block == 4
    cutter.change_hang_over(blocks)
    ended = [index for index in range(6, 20) if any(isinstance(e, Endpoint) for e in cutter.push(index, False))]
    assert ended[0] + 1 == ends_at


def test_a_changed_hang_over_is_of_that_pause_only() -> None:
    cutter = segmenter(hang_over=4, longest=6)
    told(cutter, "_###__")
    cutter.change_hang_over(6)
    assert told(cutter, "##____") == [GoesOn(), SeemsOver(8), Endpoint(EndReason.ENDPOINT, 1, 8)]


runs = st.lists(st.tuples(st.integers(1, 60), st.booleans()), max_size=12)
strays = st.lists(st.booleans(), max_size=200)
inputs = st.one_of(strays, runs.map(lambda spans: [speech for length, speech in spans for _ in range(length)]))
cutters = st.builds(
    segmenter,
    pre_roll=st.integers(0, 15),
    onset=st.integers(1, 6),
    hang_over=st.integers(1, 12),
    limit=st.integers(39, 80),
)


@given(cutters, inputs)
def test_utterances_are_contiguous_in_order_and_never_overlap(cutter: Segmenter[int], speech: list[bool]) -> None:
    cuts = cut(cutter, speech)
    for piece in cuts:
        assert piece.blocks == list(range(piece.blocks[0], piece.blocks[-1] + 1))
    for before, after in itertools.pairwise(cuts):
        assert after.blocks[0] > before.blocks[-1]
        assert after.follows_on == (before.reason is EndReason.MAX_LENGTH)
        if after.follows_on:
            assert after.blocks[0] == before.blocks[-1] + 1


@given(st.integers(39, 80), st.integers(1, 12), inputs)
def test_no_utterance_is_longer_than_the_limit(limit: int, hang_over: int, speech: list[bool]) -> None:
    cuts = cut(segmenter(pre_roll=15, onset=6, hang_over=hang_over, limit=limit), speech)
    assert all(len(piece.blocks) <= limit for piece in cuts)


@given(st.integers(0, 10), st.integers(1, 6), st.integers(1, 12), inputs)
def test_no_stretch_of_speech_is_lost(pre_roll: int, onset: int, hang_over: int, speech: list[bool]) -> None:
    """A run of speech that meets the onset by itself is heard whole, wherever it stands."""
    cuts = cut(segmenter(pre_roll, onset, hang_over), speech)
    heard = {block for piece in cuts for block in piece.blocks}
    start = 0
    for is_speech, span in itertools.groupby(speech):
        length = len(list(span))
        if is_speech and length >= onset:
            assert heard >= set(range(start, start + length))
        start += length


@given(cutters, inputs)
def test_every_utterance_starts_and_ends_its_speech_with_speech(cutter: Segmenter[int], speech: list[bool]) -> None:
    for piece in cut(cutter, speech):
        assert speech[piece.speech[-1]]
        assert piece.blocks[-1] >= piece.speech[-1]


@given(cutters, inputs, inputs)
def test_after_a_flush_it_is_as_new(cutter: Segmenter[int], before: list[bool], after: list[bool]) -> None:
    cut(cutter, before)
    once = cut(cutter, after)
    assert cut(cutter, after) == once
