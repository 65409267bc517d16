import io
import os
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from common.errors import InputError
from edge.sound.audio_file import AudioFile, StandardInput
from edge.sound.recording import Recording
from edge.sound.source import BLOCK_SAMPLES

SECOND = 16_000


def chirp(rate_hz: int = 16_000, duration_s: float = 3.0) -> np.ndarray:
    """From 200 Hz, 140 Hz higher each second: within what every rate here can hold."""
    times_s = np.arange(round(rate_hz * duration_s)) / rate_hz
    return 0.5 * np.sin(2 * np.pi * (200 * times_s + 70 * times_s**2))


def read(source: Recording) -> tuple[np.ndarray, str]:
    """All samples, and the sentence of the error at the end, "" if there is none."""
    blocks: list[np.ndarray] = []
    try:
        for block in source.blocks():
            assert block.samples.shape == (BLOCK_SAMPLES,) and block.samples.dtype == np.int16
            assert block.overruns == 0
            blocks.append(block.samples)
    except InputError as error:
        return np.concatenate([*blocks, np.empty(0, np.int16)]), str(error)
    return np.concatenate([*blocks, np.empty(0, np.int16)]), ""


def assert_one_sentence(text: str, name: str) -> None:
    assert text.startswith(f"{name}: ") and text.endswith(".")
    assert "\n" not in text and ". " not in text.removeprefix(name)


def wav(samples: bytes, *, riff_bytes: int | None = None, data_bytes: int | None = None, extra: bytes = b"") -> bytes:
    """A 16 kHz mono 16-bit WAV whose header says what it is told to say; `extra`: chunks before the samples."""
    layout = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, SECOND, 2 * SECOND, 2, 16)
    data_bytes = len(samples) if data_bytes is None else data_bytes
    body = b"WAVE" + layout + extra + struct.pack("<4sI", b"data", data_bytes) + samples
    return struct.pack("<4sI", b"RIFF", len(body) if riff_bytes is None else riff_bytes) + body


def encoded(kind: str, rate_hz: int = 16_000, duration_s: float = 3.0, channels: int = 1, subtype: str = "") -> bytes:
    file = io.BytesIO()
    sound = np.repeat(chirp(rate_hz, duration_s)[:, None], channels, axis=1)
    soundfile.write(file, sound, rate_hz, format=kind, subtype=subtype or None)
    return file.getvalue()


@pytest.fixture
def given(tmp_path: Path) -> Callable[[bytes], AudioFile]:
    def make(content: bytes) -> AudioFile:
        (tmp_path / "a file").write_bytes(content)
        return AudioFile(str(tmp_path / "a file"))

    return make


Piped = Callable[[bytes], StandardInput]


@pytest.fixture
def piped() -> Iterator[Piped]:
    """Standard input that carries these bytes, in pieces of odd sizes."""
    threads, ends = [], []

    def make(content: bytes) -> StandardInput:
        read_end, write_end = os.pipe()

        def write() -> None:
            with os.fdopen(write_end, "wb", buffering=0) as pipe:
                for start in range(0, len(content), 1777):
                    pipe.write(content[start : start + 1777])

        threads.append(threading.Thread(target=write))
        ends.append(read_end)
        threads[-1].start()
        return StandardInput(descriptor=read_end)

    yield make
    for thread, end in zip(threads, ends, strict=True):
        thread.join(10)
        os.close(end)


PCM = (chirp() * 20_000).astype("<i2")


@pytest.mark.parametrize(
    ("kind", "subtype", "rate_hz", "channels"),
    [
        ("WAV", "PCM_U8", 8_000, 1),
        ("WAV", "PCM_16", 16_000, 1),
        ("WAV", "PCM_24", 44_100, 2),
        ("WAV", "PCM_32", 22_050, 1),
        ("WAV", "FLOAT", 48_000, 8),
        ("WAV", "DOUBLE", 96_000, 1),
        ("WAVEX", "PCM_16", 48_000, 2),
        ("FLAC", "PCM_16", 11_025, 1),
        ("FLAC", "PCM_24", 48_000, 2),
        ("OGG", "VORBIS", 44_100, 2),
        ("OGG", "OPUS", 48_000, 1),
    ],
)
def test_every_kind_of_file_sounds_the_same(
    given: Callable[[bytes], AudioFile], piped: Piped, kind: str, subtype: str, rate_hz: int, channels: int
) -> None:
    content = encoded(kind, rate_hz, 3.0, channels, subtype)
    sound, error = read(given(content))
    assert error == ""
    assert abs(sound.size - 3 * SECOND) <= BLOCK_SAMPLES
    truth = chirp()[SECOND : 2 * SECOND]
    assert np.corrcoef(sound[SECOND : 2 * SECOND], truth)[0, 1] > 0.99
    np.testing.assert_array_equal(read(piped(content))[0], sound)


def test_16_bit_at_16_khz_arrives_bit_for_bit(given: Callable[[bytes], AudioFile]) -> None:
    noise = np.random.default_rng(1).integers(-32_768, 32_768, SECOND).astype("<i2")
    np.testing.assert_array_equal(read(given(wav(noise.tobytes())))[0], noise)


def test_the_last_block_is_filled_up_with_zeros(given: Callable[[bytes], AudioFile]) -> None:
    sound, error = read(given(wav(PCM[:1601].tobytes())))
    assert (sound.size, error) == (6 * BLOCK_SAMPLES, "")
    assert not sound[1601:].any()


def test_channels_are_mixed_to_their_mean(given: Callable[[bytes], AudioFile]) -> None:
    file = io.BytesIO()
    soundfile.write(file, np.array([[0.5, 0.25], [0.5, -0.5]] * 160), SECOND, format="WAV")
    sound, _ = read(given(file.getvalue()))
    np.testing.assert_allclose(sound[:2] / 32_768, [0.375, 0.0], atol=1e-4)


def test_an_hour_is_read_in_pieces(tmp_path: Path) -> None:
    file = tmp_path / "hour.wav"
    hour_bytes = 2 * SECOND * 3600
    with file.open("wb") as sparse:
        sparse.write(wav(b"", data_bytes=hour_bytes, riff_bytes=hour_bytes + 36))
        sparse.truncate(44 + hour_bytes)
    blocks = AudioFile(str(file)).blocks()
    before = int(Path("/proc/self/statm").read_text().split()[1])
    assert sum(1 for _ in blocks) == 3600 * 50
    grown_pages = int(Path("/proc/self/statm").read_text().split()[1]) - before
    assert grown_pages * os.sysconf("SC_PAGE_SIZE") < 16 << 20


@pytest.mark.parametrize("kind", ["WAV", "OGG"])
def test_a_valid_file_without_samples_has_no_blocks_and_no_error(
    given: Callable[[bytes], AudioFile], kind: str
) -> None:
    sound, error = read(given(encoded(kind, duration_s=0)))
    assert (sound.size, error) == (0, "")


def test_a_tenth_of_a_second_is_five_blocks(given: Callable[[bytes], AudioFile]) -> None:
    assert read(given(encoded("WAV", duration_s=0.1)))[0].size == 5 * BLOCK_SAMPLES


def test_no_numbers_become_silence_and_too_loud_ones_are_clipped_with_a_note_each(
    given: Callable[[bytes], AudioFile],
) -> None:
    sound = np.full(640, 0.5, np.float32)
    sound[10:13] = np.nan, np.inf, -np.inf
    sound[20:22] = 3.0, -3.0
    file = io.BytesIO()
    soundfile.write(file, sound, SECOND, format="WAV", subtype="FLOAT")
    source = given(file.getvalue())
    found, error = read(source)
    assert error == ""
    assert list(found[9:14]) == [16_384, 0, 0, 0, 16_384]
    assert list(found[20:22]) == [32_767, -32_768]
    assert [note.removeprefix(source.name) for note in source.notes] == [
        ": 3 samples are no numbers; silence was taken instead.",
        ": 2 samples are beyond full scale and were clipped.",
    ]


def test_no_number_does_not_spread_through_the_resampler(given: Callable[[bytes], AudioFile]) -> None:
    sound = chirp(48_000).astype(np.float32)
    sound[::1000] = np.nan
    file = io.BytesIO()
    soundfile.write(file, sound, 48_000, format="WAV", subtype="FLOAT")
    found, _ = read(given(file.getvalue()))
    assert np.corrcoef(found[:SECOND], chirp()[:SECOND])[0, 1] > 0.99


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty (0 bytes)"),
        (b"Bring milk, please.\n" * 50, "not sound of a known kind"),
        (bytes(range(256)) * 20, "not sound of a known kind"),
        (b"RIFF\x04\0\0\0WAVE", "is damaged"),
        (b"fLaC" + bytes(60), "is damaged"),
        (b"OggS" + bytes(60), "is damaged"),
    ],
)
def test_what_is_not_sound_is_refused_in_one_sentence(
    given: Callable[[bytes], AudioFile], content: bytes, words: str
) -> None:
    source = given(content)
    sound, error = read(source)
    assert sound.size == 0
    assert words in error
    assert_one_sentence(error, source.name)


def test_missing_directory_pipe_and_foolish_names_are_refused_in_one_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, words in [
        (str(tmp_path / "missing.wav"), "there is no such file"),
        (str(tmp_path), "is a directory"),
        (str(tmp_path / "pipe"), "is not a plain file"),
        (str(tmp_path / ("x" * 300)), "cannot be opened"),
        ("a\0b", "cannot be opened"),
    ]:
        sound, error = read(AudioFile(name))
        assert sound.size == 0
        assert words in error
        assert_one_sentence(error, name)


def test_a_file_that_may_not_be_read_is_refused_in_one_sentence(given: Callable[[bytes], AudioFile]) -> None:
    source = given(wav(PCM.tobytes()))
    Path(source.name).chmod(0)
    is_root = os.geteuid() == 0
    if is_root:  # Who is root may read everything.
        os.seteuid(65_534)
    try:
        _, error = read(source)
    finally:
        if is_root:
            os.seteuid(0)
    assert "Permission denied" in error
    assert_one_sentence(error, source.name)


@pytest.mark.parametrize(("kind", "duration_s"), [("WAV", 3.0), ("WAVEX", 20.0), ("FLAC", 3.0), ("OGG", 20.0)])
def test_what_is_there_of_a_cut_file_is_delivered_before_the_error(
    given: Callable[[bytes], AudioFile], piped: Piped, kind: str, duration_s: float
) -> None:
    content = encoded(kind, duration_s=duration_s)
    whole, error = read(given(content))
    assert error == ""
    source = given(content[: len(content) * 9 // 10])
    sound, error = read(source)

    assert 0.6 * whole.size < sound.size < 0.95 * whole.size
    np.testing.assert_array_equal(sound[:-BLOCK_SAMPLES], whole[: sound.size - BLOCK_SAMPLES])
    assert_one_sentence(error.replace(".", "", error.count(".") - 1), source.name.replace(".", ""))
    assert f"after {sound.size / SECOND:.1f} s" in error or f"after {sound.size / SECOND - 0.02:.1f} s" in error
    assert ("closing mark" if kind == "OGG" else f"its header says {duration_s} s") in error
    assert error.endswith("; what is there was used.")

    again, error = read(piped(content[: len(content) * 9 // 10]))
    np.testing.assert_array_equal(again, sound)
    assert error.startswith("standard input: ends ")


@pytest.mark.parametrize(
    ("riff_bytes", "data_bytes"),
    [(0, 0), (36, 0), (0x7FFF_F024, 0x7FFF_F000), (0x8000_0024, 0x8000_0000), (0xFFFF_FFFF, 0xFFFF_FFFF)],
)
def test_a_wav_written_to_a_pipe_or_never_closed_is_whole(
    given: Callable[[bytes], AudioFile], piped: Piped, riff_bytes: int, data_bytes: int
) -> None:
    content = wav(PCM.tobytes(), riff_bytes=riff_bytes, data_bytes=data_bytes)
    for source in (given(content), piped(content)):
        sound, error = read(source)
        assert error == ""
        np.testing.assert_array_equal(sound, PCM)


def test_chunks_around_the_samples_are_not_sound(given: Callable[[bytes], AudioFile], piped: Piped) -> None:
    note = struct.pack("<4sI4s", b"note", 3, b"abc")  # An odd chunk is followed by a byte of padding.
    after = struct.pack("<4sI", b"LIST", 4000) + b"x" * 4000
    content = wav(PCM.tobytes() + after, data_bytes=PCM.nbytes, extra=note)
    empty = wav(after, data_bytes=0)
    for make in (given, piped):
        np.testing.assert_array_equal(read(make(content))[0], PCM)
        sound, error = read(make(empty))
        assert (sound.size, error) == (0, "")


def test_a_flac_written_to_a_pipe_is_whole(given: Callable[[bytes], AudioFile]) -> None:
    content = bytearray(encoded("FLAC"))
    content[21] &= 0xF0  # STREAMINFO: 36 bits of "total samples", 0 for unknown (RFC 9639, 8.2).
    content[22:26] = bytes(4)
    sound, error = read(given(bytes(content)))
    assert (sound.size, error) == (3 * SECOND, "")


@pytest.mark.parametrize("change", [b"\x01", b"TAG", b""])
def test_half_a_sample_more_or_less_is_nobodys_loss(
    given: Callable[[bytes], AudioFile], piped: Piped, change: bytes
) -> None:
    content = wav(PCM.tobytes())
    content = content + change if change else content[:-1]
    for source in (given(content), piped(content)):
        sound, error = read(source)
        assert error == ""
        np.testing.assert_array_equal(sound[: PCM.size - 1], PCM[:-1])
        assert sound.size == PCM.size


def test_raw_pcm_on_standard_input_is_16_khz_mono(piped: Piped) -> None:
    sound, error = read(piped(PCM.tobytes() + b"\x01"))
    assert error == ""
    np.testing.assert_array_equal(sound, PCM)


@pytest.mark.parametrize(("content", "words"), [(b"", "empty"), (b"hello\n", "text"), (b"hello " * 99, "text")])
def test_standard_input_without_sound_is_refused_in_one_sentence(piped: Piped, content: bytes, words: str) -> None:
    sound, error = read(piped(content))
    assert sound.size == 0
    assert words in error
    assert_one_sentence(error, "standard input")


def test_a_directory_as_standard_input_is_refused(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        _, error = read(StandardInput(descriptor=descriptor))
    finally:
        os.close(descriptor)
    assert_one_sentence(error, "standard input")


@pytest.mark.parametrize("head", [b"", wav(b"", riff_bytes=0xFFFF_FFFF, data_bytes=0xFFFF_FFFF)])
def test_pcm_on_standard_input_arrives_while_it_is_spoken(head: bytes) -> None:
    read_end, write_end = os.pipe()
    try:
        os.write(write_end, head + PCM[:1600].tobytes())
        blocks = StandardInput(descriptor=read_end).blocks()
        early = np.concatenate([next(blocks).samples for _ in range(4)])
        np.testing.assert_array_equal(early, PCM[:1280])
    finally:
        os.close(write_end)
        os.close(read_end)


def test_close_ends_standard_input_while_it_waits() -> None:
    read_end, write_end = os.pipe()
    source = StandardInput(descriptor=read_end)
    reader = threading.Thread(target=read, args=(source,))
    reader.start()
    try:
        source.close()
        source.close()
        reader.join(5)
        assert not reader.is_alive()
    finally:
        os.close(write_end)
        os.close(read_end)


class Clock:
    """Time that passes only while somebody waits, or is said to be busy."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s

    def wait(self, duration_s: float) -> None:
        self.now_s += duration_s


def test_in_real_time_each_block_comes_when_its_last_sample_is_spoken_without_drift(tmp_path: Path) -> None:
    (tmp_path / "clip.wav").write_bytes(wav(PCM.tobytes()))
    clock = Clock()
    source = AudioFile(str(tmp_path / "clip.wav"), realtime=True, clock=clock, wait=clock.wait)
    times_s = []
    for count, _ in enumerate(source.blocks()):
        times_s.append(clock.now_s - 1000.0)
        clock.now_s += 0.5 if count == 20 else 0.003  # Who listens is busy now and then.
    expected_s = 0.02 * np.arange(1, 151)
    late = (expected_s > 0.42) & (expected_s < 1.1)
    np.testing.assert_allclose(np.array(times_s)[~late], expected_s[~late], atol=1e-9)


def test_close_ends_a_file_that_is_played_in_real_time(tmp_path: Path) -> None:
    (tmp_path / "clip.wav").write_bytes(wav(bytes(2 * SECOND * 60)))
    source = AudioFile(str(tmp_path / "clip.wav"), realtime=True)
    heard = threading.Event()

    def listen() -> None:
        for _ in source.blocks():
            heard.set()

    listener = threading.Thread(target=listen)
    listener.start()
    assert heard.wait(5)
    source.close()
    listener.join(5)
    assert not listener.is_alive()
