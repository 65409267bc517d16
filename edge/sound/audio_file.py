"""Sound from a file or from standard input, by libsndfile: any rate, any channels, 8 to 32 bit and float.

Files are read in pieces, whatever their length. Channels are mixed to their mean: a voice in all of them stays as
loud as it is, a voice in one of many becomes quieter, and two channels of opposite sign cancel out.
"""

import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from common.errors import InputError
from edge.sound.container import WAV_HEAD_BYTES, MendedWav, missing, shortage, wav_header
from edge.sound.pipe import Pipe
from edge.sound.recording import Findings, Recording
from edge.sound.resampler import RATE_HZ_MAX, RATE_HZ_MIN, Resampler
from edge.sound.source import SAMPLE_RATE_HZ, Samples

if TYPE_CHECKING:
    import soundfile

PIECE_SAMPLES_MAX = 1 << 17
"""Samples, of all channels together, that are decoded at a time."""
SPOOL_BYTES_MAX = 512 << 20
"""Longest file on standard input that must be whole before it can be decoded."""

_CONTAINERS = (b"RIFF", b"RF64", b"fLaC", b"OggS", b"FORM", b"ID3")
_TEXT = frozenset(range(32, 127)) | frozenset(b"\t\r\n")
_TEXT_BYTES = 64
_LIVE_HEAD_BYTES = 1024
_SAMPLE_BYTES = 2
# libsndfile's SF_ERR_UNRECOGNISED_FORMAT and SF_COUNT_MAX.
_UNRECOGNISED_FORMAT = 1
_UNKNOWN_FRAMES = 2**63 - 1


class AudioFile(Recording):
    """A sound file, named as a person typed it."""

    def _stretches(self) -> Iterator[Samples]:
        try:
            # NONBLOCK: a pipe without a writer must not hold us up.
            descriptor = os.open(self.name, os.O_RDONLY | os.O_NONBLOCK)
        except FileNotFoundError as error:
            raise InputError(f"{self.name}: there is no such file.") from error
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "this is no name of a file"
            raise InputError(f"{self.name}: cannot be opened: {reason}.") from error
        try:
            self._check(os.fstat(descriptor))
            yield from _decoded(descriptor, self.name, self._findings)
        finally:
            os.close(descriptor)

    def _check(self, status: os.stat_result) -> None:
        if stat.S_ISDIR(status.st_mode):
            raise InputError(f"{self.name}: is a directory, not a sound file.")
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{self.name}: is not a plain file; a pipe can be given as standard input, -.")
        if status.st_size == 0:
            raise InputError(f"{self.name}: is empty (0 bytes).")


class StandardInput(Recording):
    """Standard input: a sound file, or raw PCM (16 kHz, mono, signed 16 bit, little-endian).

    That PCM, raw or in a WAV, is used as it comes; any other file is kept, up to SPOOL_BYTES_MAX, until it is whole.
    """

    def __init__(
        self,
        *,
        realtime: bool = False,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] | None = None,
        descriptor: int = 0,
    ) -> None:
        super().__init__("-", called="standard input", realtime=realtime, clock=clock, wait=wait)
        self._pipe = Pipe(descriptor, self._closed)

    def _stretches(self) -> Iterator[Samples]:
        try:
            head = self._pipe.fill(_TEXT_BYTES)
            if head.startswith(b"RIFF"):
                head += self._pipe.fill(_LIVE_HEAD_BYTES - len(head))
            if self._closed.is_set():
                return
            header = wav_header(head)
            if header and header.is_plain_pcm:
                yield from self._live(head[header.data_offset :], header.data_bytes)
            elif head.startswith(_CONTAINERS):
                yield from self._whole(head)
            elif _TEXT.issuperset(head):
                raise InputError(f"standard input: is {'text, not sound' if head else 'empty (0 bytes)'}.")
            else:
                yield from self._live(head, None)
        except OSError as error:
            raise InputError(f"standard input: cannot be read: {error.strerror}.") from error

    def _live(self, head: bytes, bytes_promised: int | None) -> Iterator[Samples]:
        """PCM as it comes; half a sample at the end, and what lies behind what was promised, are left out."""
        count, half = 0, b""
        for piece in self._pipe.pieces(head):
            sound = half + piece[: None if bytes_promised is None else bytes_promised - count]
            count += len(sound) - len(half)
            whole = len(sound) - len(sound) % _SAMPLE_BYTES
            half = sound[whole:]
            yield np.frombuffer(sound[:whole], "<i2").astype(np.int16)
        if bytes_promised is not None:
            bytes_per_s = _SAMPLE_BYTES * SAMPLE_RATE_HZ
            self._findings.shortage = missing(count / bytes_per_s, bytes_promised / bytes_per_s)

    def _whole(self, head: bytes) -> Iterator[Samples]:
        with tempfile.TemporaryFile() as spool:
            if not self._pipe.spool(spool, head, SPOOL_BYTES_MAX):
                raise InputError(f"standard input: is longer than {SPOOL_BYTES_MAX >> 20} MiB; give it as a file.")
            if not self._closed.is_set():
                yield from _decoded(spool.fileno(), "standard input", self._findings)


def _decoded(descriptor: int, called: str, findings: Findings) -> Iterator[Samples]:
    """An open file at 16 kHz. InputError if it is not sound."""
    import soundfile  # Only here: a board that listens to a microphone does without.

    header = wav_header(os.pread(descriptor, WAV_HEAD_BYTES, 0))
    file = MendedWav(descriptor, header) if header and header.never_closed else descriptor
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        sound = soundfile.SoundFile(file, closefd=False)
    except soundfile.LibsndfileError as error:
        raise _not_sound(called, error) from error
    with sound:
        if not RATE_HZ_MIN <= sound.samplerate <= RATE_HZ_MAX:
            raise InputError(f"{called}: has a rate of {sound.samplerate} Hz, which cannot be used.")
        resampler = Resampler(sound.samplerate)
        frames = 0
        for piece in _pieces(sound, findings):
            frames += len(piece)
            yield resampler.push(_mono(piece, findings))
        yield resampler.flush()
        present_s = frames / sound.samplerate
        expected_s = sound.frames / sound.samplerate if sound.frames < _UNKNOWN_FRAMES else None
        findings.shortage = shortage(descriptor, sound.format, present_s, expected_s, broken=findings.broken)


def _not_sound(called: str, error: "soundfile.LibsndfileError") -> InputError:
    if error.code == _UNRECOGNISED_FORMAT:
        return InputError(f"{called}: is not sound of a known kind, such as WAV, FLAC or OGG.")
    reason = error.error_string.removeprefix("Error : ").rstrip(".").replace(". ", ": ")
    return InputError(f"{called}: is damaged or of an unknown kind: {reason}.")


def _pieces(sound: "soundfile.SoundFile", findings: Findings) -> Iterator[npt.NDArray[np.float32]]:
    """Pieces of shape (frames, channels), full scale 1.0; each is good until the next is asked for."""
    import soundfile

    buffer = np.empty((max(1, PIECE_SAMPLES_MAX // sound.channels), sound.channels), np.float32)
    while True:
        buffer.fill(np.nan)
        try:
            piece = sound.read(out=buffer)
        except soundfile.LibsndfileError:
            # What was decoded before the fault is in the buffer, but only what is still NaN says where it ends.
            findings.broken = True
            decoded = np.flatnonzero(~np.isnan(buffer[:, 0]))
            yield buffer[: decoded[-1] + 1 if decoded.size else 0]
            return
        yield piece
        if len(piece) < len(buffer):
            return


def _mono(piece: npt.NDArray[np.float32], findings: Findings) -> npt.NDArray[np.float32]:
    """Mean of the channels, (frames, channels) to (frames,), with silence for what is no number."""
    finite = np.isfinite(piece)
    if not finite.all():
        findings.not_numbers += int(finite.size - np.count_nonzero(finite))
        piece = np.where(finite, piece, np.float32(0))
    findings.clipped += int(np.count_nonzero(np.abs(piece) > 1))
    return piece[:, 0] if piece.shape[1] == 1 else piece.mean(axis=1, dtype=np.float32)
