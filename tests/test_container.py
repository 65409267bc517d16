import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge.container import missing, shortage, wav_header


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
        (content[: content.rindex(b"OggS")], "ends after 0.5 s, without its closing mark"),
        (content[:-1], "ends after 0.5 s, without its closing mark"),
        (content[:20], "ends after 0.5 s, without its closing mark"),
    ):
        (tmp_path / "part.ogg").write_bytes(part)
        with (tmp_path / "part.ogg").open("rb") as opened:
            assert shortage(opened.fileno(), "OGG", 0.5, 0.5, broken=False) == expected


def test_less_than_a_block_is_not_missed() -> None:
    assert missing(0.99, 1.0) is None
    assert missing(0.5, 1.0) == "ends after 0.5 s, though its header says 1.0 s"
    assert missing(0.5, 1.0, broken=True) == "ends or is damaged after 0.5 s, though its header says 1.0 s"
