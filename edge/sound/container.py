"""What a sound file says of its own length. libsndfile quietly repairs a file that is cut off; its owner wants to know.

Layouts: "Multimedia Programming Interface and Data Specifications 1.0" (RIFF, 1991) and RFC 3533 (Ogg).
"""

import io
import os
import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

WAV_HEAD_BYTES = 65_536
MISSING_S = 0.02
"""Less than this is not missed: half a sample more or less is nobody's loss."""

_PCM_TAG = 1
_EXTENSIBLE_TAG = 0xFFFE
# Who writes to a pipe cannot know the length, and writes 0x7FFFF000 (sox), 0x80000000 (arecord), 0xFFFFFFFF (ffmpeg).
_PIPE_BYTES_MIN = 0x7FF0_0000
_OGG_PAGE_BYTES_MAX = 65_307
_OGG_PAGE_HEAD_BYTES = 27
_OGG_LAST_PAGE = 4
_OGG_IDENTITY_BYTES = 64


class WavHeader(NamedTuple):
    """Where the samples of a WAV file lie, and how they look."""

    tag: int
    channels: int
    rate_hz: int
    bytes_per_s: int
    bits: int
    data_offset: int
    data_bytes: int | None
    """Bytes of samples; None: not known when the header was written, as by a pipe or a recorder that was killed."""
    never_closed: bool
    """It says 0 bytes because nobody came back to fill in the length."""

    @property
    def is_plain_pcm(self) -> bool:
        """Whether its samples are what the board works with: 16 kHz, mono, 16 bit."""
        return (self.tag, self.channels, self.rate_hz, self.bits) == (_PCM_TAG, 1, 16_000, 16)


def wav_header(head: bytes) -> WavHeader | None:
    """Header of a WAV file from its first WAV_HEAD_BYTES; None if it is not one, or not understood."""
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    (riff_bytes,) = struct.unpack_from("<I", head, 4)
    layout: tuple[int, int, int, int, int] | None = None
    offset = 12
    while offset + 8 <= len(head):
        name, size = struct.unpack_from("<4sI", head, offset)
        offset += 8
        if name == b"data" and layout:
            never_closed = size == 0 and (riff_bytes + 8 <= offset or riff_bytes >= _PIPE_BYTES_MIN)
            known = size < _PIPE_BYTES_MIN and not never_closed
            return WavHeader(*layout, offset, size if known else None, never_closed)
        if name == b"fmt " and 16 <= size <= len(head) - offset:
            tag, channels, rate_hz, bytes_per_s, _, bits = struct.unpack_from("<HHIIHH", head, offset)
            if tag == _EXTENSIBLE_TAG and size >= 40:
                (tag,) = struct.unpack_from("<H", head, offset + 24)
            layout = tag, channels, rate_hz, bytes_per_s, bits
        offset += size + size % 2
    return None


class MendedWav(io.FileIO):
    """A WAV file that was never closed, read as if its header said "until the end"."""

    def __init__(self, descriptor: int, header: WavHeader) -> None:
        """Reads from an open `descriptor`, and leaves it open."""
        super().__init__(descriptor, closefd=False)
        self._size_offset = header.data_offset - 4

    def readinto(self, buffer: "WriteableBuffer") -> int:
        start = self.tell()
        count = super().readinto(buffer) or 0
        with memoryview(buffer).cast("B") as view:
            for position in range(max(start, self._size_offset), min(start + count, self._size_offset + 4)):
                view[position - start] = 0xFF
        return count


def shortage(descriptor: int, kind: str, present_s: float, expected_s: float | None, *, broken: bool) -> str | None:
    """How an open file of libsndfile's `kind` is shorter than it says; None if it is not, or if nobody can know.

    `present_s` could be decoded of `expected_s` that libsndfile saw in it (None: it cannot know); `broken`: its decoder
    gave up.
    """
    if kind == "OGG":
        return _ogg_shortage(descriptor, present_s)
    if kind in ("WAV", "WAVEX"):
        return _wav_shortage(descriptor, present_s)
    return missing(present_s, expected_s, broken=True) if broken and expected_s is not None else None


def missing(present_s: float, promised_s: float, *, broken: bool = False) -> str | None:
    """The words for sound that ends before its header says; None if it does not."""
    if promised_s - present_s < MISSING_S:
        return None
    verb = "ends or is damaged" if broken else "ends"
    return f"{verb} after {present_s:.1f} s, though its header says {promised_s:.1f} s"


def _wav_shortage(descriptor: int, present_s: float) -> str | None:
    header = wav_header(os.pread(descriptor, WAV_HEAD_BYTES, 0))
    if header is None or header.data_bytes is None or not header.bytes_per_s:
        return None
    if os.fstat(descriptor).st_size >= header.data_offset + header.data_bytes:
        return None
    return missing(present_s, header.data_bytes / header.bytes_per_s)


def _ogg_shortage(descriptor: int, present_s: float) -> str | None:
    """The last page says where the sound ends; libsndfile passes over pages that are damaged."""
    last = _last_ogg_page(descriptor)
    if last is None:
        return f"ends after {present_s:.1f} s, without its closing mark"
    head = os.pread(descriptor, 2 * _OGG_PAGE_HEAD_BYTES + _OGG_IDENTITY_BYTES, 0)
    serial_number, position = last
    if struct.unpack_from("<I", head, 14)[0] != serial_number:
        return f"holds several recordings, the first of {present_s:.1f} s"
    rate_hz = _ogg_rate_hz(head)
    return None if rate_hz is None else missing(present_s, position / rate_hz, broken=True)


def _ogg_rate_hz(head: bytes) -> int | None:
    """What positions are counted in; RFC 7845, and the Vorbis I specification, 4.2.2."""
    if b"OpusHead" in head:
        return 48_000
    at = head.find(b"\x01vorbis")
    return struct.unpack_from("<I", head, at + 12)[0] or None if 0 <= at <= len(head) - 16 else None


def _last_ogg_page(descriptor: int) -> tuple[int, int] | None:
    """Serial number and position of the last page; None unless it is whole and marked as the last."""
    tail_offset = max(0, os.fstat(descriptor).st_size - 2 * _OGG_PAGE_BYTES_MAX)
    tail = os.pread(descriptor, 2 * _OGG_PAGE_BYTES_MAX, tail_offset)
    start = tail.rfind(b"OggS")
    if start < 0 or start + _OGG_PAGE_HEAD_BYTES > len(tail):
        return None
    position, serial_number = struct.unpack_from("<qI", tail, start + 6)
    segments = tail[start + _OGG_PAGE_HEAD_BYTES - 1]
    body_offset = start + _OGG_PAGE_HEAD_BYTES + segments
    body_bytes = sum(tail[start + _OGG_PAGE_HEAD_BYTES : body_offset])
    whole = bool(tail[start + 5] & _OGG_LAST_PAGE) and body_offset + body_bytes <= len(tail)
    return (serial_number, position) if whole else None
