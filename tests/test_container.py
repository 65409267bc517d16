import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from common.errors import InputError
from edge.sound.audio_file import AudioFile
from edge.sound.container import missing, shortage, wav_header


def test_a_wav_header_is_found_behind_chunks_of_odd_size() -> None:
    chunks = (
        struct.pack("<4sI4s", b"note", 3, b"abc")
        + struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16)
        + struct.pack("<4sI2s", b"odd!", 1, b"x")
        + struct.pack("<4sI", b"data", 640)
    )
    header = wav_header(struct.pack("<4sI4s", b"RIFF", len(chunks) + 644, b"WAVE") + chunks + bytes(640))
    assert header is not None
    assert (header.data_offset, header.data_bytes, header.is_plain_pcm) == (12 + len(chunks), 640, True)


@pytest.mark.parametrize(("kind", "subtype", "tag", "bits"), [("WAVEX", "PCM_24", 1, 24), ("WAV", "FLOAT", 3, 32)])
def test_a_wav_header_says_what_libsndfile_wrote(kind: str, subtype: str, tag: int, bits: int) -> None:
    file = io.BytesIO()
    soundfile.write(file, np.zeros((100, 2)), 48_000, format=kind, subtype=subtype)
    header = wav_header(file.getvalue())
    assert header is not None
    assert (header.tag, header.channels, header.rate_hz, header.bits) == (tag, 2, 48_000, bits)
    assert (header.data_bytes, header.bytes_per_s) == (100 * bits // 4, 48_000 * bits // 4)
    assert not header.is_plain_pcm


def test_any_bytes_are_a_header_or_none() -> None:
    noise = np.random.default_rng(1)
    for size in range(200):
        wav_header(b"RIFF" + noise.bytes(4) + b"WAVEfmt " + noise.bytes(size))
        wav_header(noise.bytes(size))


def test_an_ogg_that_ends_between_two_pages_is_cut_off(tmp_path: Path) -> None:
    file = io.BytesIO()
    soundfile.write(file, np.random.default_rng(1).uniform(-0.5, 0.5, 16_000), 16_000, format="OGG")
    content = file.getvalue()
    for part, expected in (
        (content, None),
        (content[: content.rindex(b"OggS")], "ends after 1.0 s, without its closing mark"),
        (content[:-1], "ends after 1.0 s, without its closing mark"),
        (content[:20], "ends after 1.0 s, without its closing mark"),
    ):
        (tmp_path / "part.ogg").write_bytes(part)
        with (tmp_path / "part.ogg").open("rb") as opened:
            assert shortage(opened.fileno(), "OGG", 1.0, 1.0, broken=False) == expected


def test_an_ogg_of_which_a_part_cannot_be_read_says_so(tmp_path: Path) -> None:
    sound = np.random.default_rng(1).uniform(-0.5, 0.5, 32_000)
    soundfile.write(tmp_path / "whole.ogg", sound, 16_000, format="OGG")
    whole = (tmp_path / "whole.ogg").read_bytes()
    assert len(list(AudioFile(str(tmp_path / "whole.ogg")).blocks())) == 100
    for place in (0.5, 0.75):
        content = bytearray(whole)
        content[int(place * len(content))] ^= 0xFF
        (tmp_path / "flipped.ogg").write_bytes(content)
        with pytest.raises(InputError, match="flipped.ogg: ends or is damaged after .* 2.0 s; what is there was used"):
            list(AudioFile(str(tmp_path / "flipped.ogg")).blocks())


def test_an_ogg_of_two_recordings_says_that_the_first_was_read(tmp_path: Path) -> None:
    parts = []
    for seed in (1, 2):
        file = tmp_path / f"{seed}.ogg"
        soundfile.write(file, np.random.default_rng(seed).uniform(-0.5, 0.5, 16_000), 16_000, format="OGG")
        parts.append(bytearray(file.read_bytes()))
    serial_number = parts[0][14:18]
    if parts[1][14:18] == serial_number:
        pytest.skip("both streams drew the same serial number")
    (tmp_path / "chained.ogg").write_bytes(b"".join(parts))
    with pytest.raises(InputError, match="chained.ogg: holds several recordings, the first of 1.0 s; what is there"):
        list(AudioFile(str(tmp_path / "chained.ogg")).blocks())


def test_an_opus_file_is_whole_or_cut(tmp_path: Path) -> None:
    file = tmp_path / "speech.opus"
    soundfile.write(file, np.random.default_rng(1).uniform(-0.5, 0.5, 32_000), 16_000, format="OGG", subtype="OPUS")
    assert len(list(AudioFile(str(file)).blocks())) == 100


def test_less_than_a_block_is_not_missed() -> None:
    assert missing(0.99, 1.0) is None
    assert missing(0.5, 1.0) == "ends after 0.5 s, though its header says 1.0 s"
    assert missing(0.5, 1.0, broken=True) == "ends or is damaged after 0.5 s, though its header says 1.0 s"
