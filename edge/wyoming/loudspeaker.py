"""Plays what a home says, by ALSA's aplay: sound that comes faster than it is heard waits here."""

import asyncio
import logging
import shutil
from collections.abc import Callable

from edge.wyoming.sound import SoundFormat

logger = logging.getLogger(__name__)

PROGRAM = "aplay"
FORMATS = {1: "S8", 2: "S16_LE", 3: "S24_3LE", 4: "S32_LE"}
"""By bytes of a sample."""

WAITING_BYTES_MAX = 16 << 20
"""Six minutes at 22.05 kHz, mono and 16 bit; what is more is not played."""

LAST_S_MAX = 10.0
"""From the last byte that the program took to its end."""


class Loudspeaker:
    """Belongs to an event loop; none of its methods waits."""

    def __init__(self, program: str, on_played: Callable[[], None]) -> None:
        """`on_played` is called whenever something has been played to its end, or could not be."""
        self._program = program
        self._on_played = on_played
        self._waiting: asyncio.Queue[bytes] | None = None
        """Where sound that comes belongs; None: nothing was begun."""
        self._waiting_bytes = 0
        self._tasks: list[asyncio.Task[None]] = []
        """One for each stretch, one after the other."""

    @property
    def playing(self) -> bool:
        """For any thread."""
        return bool(self._tasks)

    def start(self, kind: SoundFormat) -> None:
        """Sound follows, in this format."""
        self.stop()
        self._waiting = asyncio.Queue()
        before = self._tasks[-1] if self._tasks else None
        task = asyncio.ensure_future(self._play(kind, self._waiting, before))
        self._tasks.append(task)
        task.add_done_callback(self._end)

    def put(self, pcm: bytes) -> None:
        if self._waiting is None or not pcm:
            return
        if self._waiting_bytes + len(pcm) > WAITING_BYTES_MAX:
            logger.warning("what the home says is longer than what can wait; the rest of it is not played")
            self.stop()
            return
        self._waiting_bytes += len(pcm)
        self._waiting.put_nowait(pcm)

    def stop(self) -> None:
        """That was all of it."""
        if self._waiting is not None:
            self._waiting.put_nowait(b"")
            self._waiting = None

    async def close(self) -> None:
        """Falls silent."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _play(
        self, kind: SoundFormat, waiting: "asyncio.Queue[bytes]", before: "asyncio.Task[None] | None"
    ) -> None:
        if before is not None:
            await asyncio.wait((before,))
        options = ("-q", "-t", "raw", "-f", FORMATS[kind.width], "-r", str(kind.rate), "-c", str(kind.channels), "-")
        pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            self._program, *options, stdin=pipe, stdout=nothing, stderr=nothing
        )
        assert process.stdin is not None
        try:
            while pcm := await waiting.get():
                self._waiting_bytes -= len(pcm)
                process.stdin.write(pcm)
                await process.stdin.drain()
            process.stdin.close()
            async with asyncio.timeout(LAST_S_MAX):
                status = await process.wait()
            if status:
                logger.warning("%s could not play what the home says (exit status %d)", self._program, status)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    def _end(self, task: "asyncio.Task[None]") -> None:
        self._tasks.remove(task)
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            logger.warning("%s could not play what the home says (%s)", self._program, error or "it hangs")
        self._on_played()


def program() -> str | None:
    """Where it is; None: this board has none."""
    return shutil.which(PROGRAM)
