import tracemalloc
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from protos import speech_pb2
from protos.codec import CODECS, FRAMES_PER_MESSAGE_MAX, CodecError, decoder, encoder
from protos.feature_spec import ACCEPTED_SPECS, DEFAULT_SPEC, FeatureSpec, Levels

specs = st.sampled_from(list(ACCEPTED_SPECS.values()))
codecs = st.sampled_from(CODECS)
CONTEXT = speech_pb2.CODEC_CONTEXT


@st.composite
def messages(draw: st.DrawFn) -> tuple[FeatureSpec, list[Levels]]:
    """A spec, and the levels of an utterance in messages of any lengths."""
    spec = draw(specs)
    lengths = draw(st.lists(st.integers(1, 30), min_size=1, max_size=8))
    elements = st.integers(0, spec.levels - 1)
    return spec, [draw(arrays.arrays(np.int8, (length, spec.bands), elements=elements)) for length in lengths]


def raw_deflate(data: bytes, *, end: bool = False) -> bytes:
    stream = zlib.compressobj(level=9, wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush(zlib.Z_FINISH if end else zlib.Z_SYNC_FLUSH)


def speech_like() -> Levels:
    """Levels that wander as those of speech do, (100, bands)."""
    steps = np.random.default_rng(1).integers(-1, 2, (100, DEFAULT_SPEC.bands))
    return np.clip(6 + np.cumsum(steps, axis=0), 0, DEFAULT_SPEC.levels - 1).astype(np.int8)


@settings(max_examples=50)
@given(codecs, messages())
def test_what_is_encoded_is_decoded_message_by_message(codec: int, said: tuple[FeatureSpec, list[Levels]]) -> None:
    spec, parts = said
    encode, decode = encoder(codec, spec), decoder(codec, spec)
    for levels in parts:
        decoded = decode.decode(encode.encode(levels), len(levels))
        assert decoded.dtype == np.int8
        assert np.array_equal(decoded, levels)


@pytest.mark.parametrize("codec", CODECS)
def test_levels_that_are_a_view_of_others_are_encoded_as_they_look(codec: int) -> None:
    levels = speech_like()[::-2]
    decoded = decoder(codec, DEFAULT_SPEC).decode(encoder(codec, DEFAULT_SPEC).encode(levels), len(levels))
    assert np.array_equal(decoded, levels)


@pytest.mark.parametrize("codec", CODECS)
def test_the_largest_message_is_decoded_and_a_larger_one_refused(codec: int) -> None:
    levels = np.tile(speech_like(), (11, 1))
    packed = encoder(codec, DEFAULT_SPEC).encode(levels[:FRAMES_PER_MESSAGE_MAX])
    assert np.array_equal(decoder(codec, DEFAULT_SPEC).decode(packed, FRAMES_PER_MESSAGE_MAX), levels[:1000])
    packed = encoder(codec, DEFAULT_SPEC).encode(levels[: FRAMES_PER_MESSAGE_MAX + 1])
    with pytest.raises(CodecError, match="1001 frames in a message; 1 to 1000 are allowed"):
        decoder(codec, DEFAULT_SPEC).decode(packed, FRAMES_PER_MESSAGE_MAX + 1)


@given(codecs, specs, st.lists(st.tuples(st.binary(max_size=400), st.integers(-1, 1200)), max_size=4))
def test_any_bytes_are_levels_within_range_or_a_codec_error(
    codec: int, spec: FeatureSpec, received: list[tuple[bytes, int]]
) -> None:
    decode = decoder(codec, spec)
    for data, frame_count in received:
        try:
            levels = decode.decode(data, frame_count)
        except CodecError:
            continue
        assert levels.shape == (frame_count, spec.bands)
        assert 0 <= levels.min() <= levels.max() < spec.levels


@given(arrays.arrays(np.uint8, (3, DEFAULT_SPEC.bands)))
@example(np.full((3, DEFAULT_SPEC.bands), 127, np.uint8))
@example(np.full((3, DEFAULT_SPEC.bands), 128, np.uint8))
def test_levels_out_of_range_are_refused_however_they_are_packed(values: Levels) -> None:
    differences = np.diff(values, axis=0, prepend=np.zeros((1, DEFAULT_SPEC.bands), np.uint8))
    packings = {
        speech_pb2.CODEC_RAW: values.tobytes(),
        speech_pb2.CODEC_DEFLATE: raw_deflate(differences.tobytes()),
    }
    for codec, packed in packings.items():
        if values.max() < DEFAULT_SPEC.levels:
            assert np.array_equal(decoder(codec, DEFAULT_SPEC).decode(packed, 3), values)
        else:
            with pytest.raises(CodecError, match=f"a level outside 0 to {DEFAULT_SPEC.levels - 1}"):
                decoder(codec, DEFAULT_SPEC).decode(packed, 3)


def broken(packed: bytes) -> Iterator[bytes]:
    yield packed[:-1]
    yield packed[:-5]
    yield packed + b"\x00"
    yield packed + b"\x01"
    yield packed + packed
    yield b""


@pytest.mark.parametrize("codec", CODECS)
def test_more_or_less_than_was_said_is_refused(codec: int) -> None:
    packed = encoder(codec, DEFAULT_SPEC).encode(speech_like())
    with pytest.raises(CodecError):
        decoder(codec, DEFAULT_SPEC).decode(packed, 99)
    with pytest.raises(CodecError):
        decoder(codec, DEFAULT_SPEC).decode(packed, 101)
    for data in broken(packed) if codec != speech_pb2.CODEC_DEFLATE else ():
        with pytest.raises(CodecError):
            decoder(codec, DEFAULT_SPEC).decode(data, 100)


def test_a_deflate_stream_that_ends_is_refused_with_what_follows_it() -> None:
    whole = np.zeros((5, DEFAULT_SPEC.bands), np.int8).tobytes()
    with pytest.raises(CodecError):
        decoder(speech_pb2.CODEC_DEFLATE, DEFAULT_SPEC).decode(raw_deflate(whole, end=True) + b"more", 5)


def test_a_message_that_would_unpack_to_far_more_is_refused_in_little_memory() -> None:
    bomb = raw_deflate(bytes(16 << 20))
    decode = decoder(speech_pb2.CODEC_DEFLATE, DEFAULT_SPEC)
    tracemalloc.start()
    try:
        with pytest.raises(CodecError, match="80001 bytes unpacked where 1000 frames are said to be 80000"):
            decode.decode(bomb, FRAMES_PER_MESSAGE_MAX)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_new_attempt_starts_from_nothing() -> None:
    first = encoder(speech_pb2.CODEC_DEFLATE, DEFAULT_SPEC)
    first.encode(speech_like())
    again = encoder(speech_pb2.CODEC_DEFLATE, DEFAULT_SPEC).encode(speech_like())
    assert np.array_equal(decoder(speech_pb2.CODEC_DEFLATE, DEFAULT_SPEC).decode(again, 100), speech_like())


def test_deflate_makes_wandering_levels_less_than_half_as_large() -> None:
    encode = encoder(speech_pb2.CODEC_DEFLATE, DEFAULT_SPEC)
    packed = sum(len(encode.encode(levels)) for levels in np.split(speech_like(), 10))
    assert packed < speech_like().size / 2


def test_silence_costs_next_to_nothing() -> None:
    encode = encoder(CONTEXT, DEFAULT_SPEC)
    silence = np.zeros((11, DEFAULT_SPEC.bands), np.int8)
    assert max(len(encode.encode(silence[count:])) for count in (0, 1, 1)) <= 3


@pytest.mark.parametrize("spec", ACCEPTED_SPECS.values(), ids=lambda spec: spec.fingerprint)
def test_levels_that_nobody_would_say_take_little_more_than_raw(spec: FeatureSpec) -> None:
    levels = np.random.default_rng(1).integers(0, spec.levels, (100, spec.bands)).astype(np.int8)
    for extreme in (levels, np.where(levels % 2, 0, spec.levels - 1).astype(np.int8)):
        assert len(encoder(CONTEXT, spec).encode(extreme)) < 1.15 * levels.size


@settings(max_examples=200)
@given(st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_damage_is_noticed_or_gives_levels(place: float, change: int) -> None:
    levels = speech_like()[:11]
    packed = bytearray(encoder(CONTEXT, DEFAULT_SPEC).encode(levels))
    packed[int(place * len(packed))] ^= change
    try:
        got = decoder(CONTEXT, DEFAULT_SPEC).decode(bytes(packed), len(levels))
    except CodecError:
        return
    assert got.shape == levels.shape
    assert 0 <= got.min() <= got.max() < DEFAULT_SPEC.levels


def test_damage_is_nearly_always_noticed() -> None:
    levels = speech_like()[:11]
    packed = encoder(CONTEXT, DEFAULT_SPEC).encode(levels)
    noticed, changes = 0, [(place, 1 << bit) for place in range(len(packed)) for bit in range(8)]
    for place, change in changes:
        damaged = bytearray(packed)
        damaged[place] ^= change
        try:
            decoder(CONTEXT, DEFAULT_SPEC).decode(bytes(damaged), len(levels))
        except CodecError:
            noticed += 1
    assert noticed > 0.99 * len(changes)


@given(st.lists(st.tuples(st.integers(0, 10), st.integers(0, 79), st.integers(0, 11)), max_size=40))
def test_a_few_levels_that_jump_out_of_speech_come_back(jumps: list[tuple[int, int, int]]) -> None:
    levels = speech_like()[:11]
    for frame, band, level in jumps:
        levels[frame, band] = level
    packed = encoder(CONTEXT, DEFAULT_SPEC).encode(levels)
    assert np.array_equal(decoder(CONTEXT, DEFAULT_SPEC).decode(packed, len(levels)), levels)


@pytest.mark.parametrize("count", [1, 2, 25, 38])
@pytest.mark.parametrize("spec", ACCEPTED_SPECS.values(), ids=lambda spec: spec.fingerprint)
def test_extremes_come_back_however_many_frames_they_are(spec: FeatureSpec, count: int) -> None:
    highest = np.full((count, spec.bands), spec.levels - 1, np.int8)
    chequered = np.where(np.add.outer(np.arange(count), np.arange(spec.bands)) % 2, highest, 0).astype(np.int8)
    encode, decode = encoder(CONTEXT, spec), decoder(CONTEXT, spec)
    for levels in (highest, chequered, highest - highest, chequered, highest):
        assert np.array_equal(decode.decode(encode.encode(levels), count), levels)


def test_what_is_far_too_long_or_says_far_too_much_is_refused() -> None:
    for data in (b"\xff" * 70_000, b"\x80" * 70_000, bytes(70_000), b"\x7f" + bytes(70_000)):
        with pytest.raises(CodecError):
            decoder(CONTEXT, DEFAULT_SPEC).decode(data, 5)


@pytest.mark.parametrize("number", [speech_pb2.CODEC_UNSPECIFIED, 99])
def test_an_unknown_codec_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match=f"no codec has the number {number}"):
        encoder(number, DEFAULT_SPEC)
    with pytest.raises(ValueError, match=f"no codec has the number {number}"):
        decoder(number, DEFAULT_SPEC)
