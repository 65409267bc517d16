"""The sound of what was said, where the owner lets it be kept: a WAV file an utterance, for who learns from it later.

Written by a thread of its own, after the utterance's end: nobody who speaks waits for it, and what it cannot write in
time is not kept. A file's time is when it was spoken. WAV, because the daemon holds no library of sound files.
"""

import io
import logging
import os
import queue
import threading
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from common.private_files import private_directory, write_private
from edge.sound.source import SAMPLE_RATE_HZ, Samples
from edge.speech.utterance import UtteranceHead
from edge.spool.erasure import Erasure
from edge.worker import Worker

logger = logging.getLogger(__name__)

SOUND_FOLDER = "sound"
"""Beside the spool."""

SUFFIX = ".wav"

WAITING_BYTES_MAX = 4 << 20
"""What may wait for the disk: two minutes of speech."""


class Recorded(NamedTuple):
    """An utterance as it is spoken."""

    head: UtteranceHead
    pcm: bytearray
    """16 bit, mono."""

    def append(self, samples: Samples) -> None:
        """Sound that follows on."""
        self.pcm.extend(samples.astype("<i2", copy=False).tobytes())


class Sounds:
    """`worker` is to be started; `close` ends it."""

    def __init__(self, folder: Path, bytes_max: int) -> None:
        self.lost = 0
        """Utterances whose sound was not kept, since the start."""
        self.worker = Worker("sound", self._run)
        self._folder = folder
        self._bytes_max = bytes_max
        self._waiting: queue.Queue[Recorded | None] = queue.Queue()
        self._waiting_bytes = 0
        self._changing = threading.Lock()
        self._in_trouble = False

    def keep(self, recorded: Recorded) -> None:
        """Never waits."""
        with self._changing:
            if self._waiting_bytes + len(recorded.pcm) > WAITING_BYTES_MAX:
                self.lost += 1
                logger.warning("the sound of an utterance is not kept: the disk is too slow; %d so far", self.lost)
                return
            self._waiting_bytes += len(recorded.pcm)
        self._waiting.put(recorded)

    def close(self) -> None:
        """What waits is written before the worker ends."""
        self._waiting.put(None)

    def _run(self) -> None:
        while (recorded := self._waiting.get()) is not None:
            try:
                self._write(recorded)
            except OSError as error:
                self.lost += 1
                if not self._in_trouble:
                    logger.error("%s: the sound of what is said cannot be kept: %s", self._folder, error)
                self._in_trouble = True
            else:
                self._in_trouble = False
            with self._changing:
                self._waiting_bytes -= len(recorded.pcm)

    def _write(self, recorded: Recorded) -> None:
        file = private_directory(self._folder) / f"{recorded.head.utterance_id}{SUFFIX}"
        write_private(file, _wav(recorded.pcm))
        spoken_at_ns = recorded.head.started_at_unix_us * 1000
        os.utime(file, ns=(spoken_at_ns, spoken_at_ns))
        self._make_room(file)

    def _make_room(self, newest: Path) -> None:
        """By erasing the oldest."""
        found = []
        for file in files(self._folder):
            # Somebody may be forgetting.
            with suppress(FileNotFoundError):
                found.append((file.stat().st_mtime_ns, file.stat().st_size, file))
        size = sum(size for _, size, _ in found)
        for _, freed, file in sorted(found):
            if size > self._bytes_max and file != newest:
                file.unlink(missing_ok=True)
                size -= freed


def files(folder: Path) -> list[Path]:
    """Of the utterances whose sound is there, with what a power cut left half written; OSError if they cannot be
    listed."""
    return [file for file in folder.iterdir() if SUFFIX in file.name] if folder.is_dir() else []


def ids(folder: Path) -> set[str]:
    """Of the utterances whose sound is there. OSError."""
    return {_id(file) for file in files(folder)}


def erase(folder: Path, erasure: Erasure) -> set[str]:
    """Ids of the utterances whose sound was there, and is not any more. OSError."""
    erased = set()
    for file in files(folder):
        utterance_id = _id(file)
        with suppress(FileNotFoundError):
            if erasure.fits(utterance_id, file.stat().st_mtime_ns // 1000):
                file.unlink()
                erased.add(utterance_id)
    return erased


def _id(file: Path) -> str:
    return file.name.removeprefix(".").partition(SUFFIX)[0]


def _wav(pcm: bytearray) -> bytes:
    import wave  # Not for a board that keeps none.

    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(pcm)
    return content.getvalue()
