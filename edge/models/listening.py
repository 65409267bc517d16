"""Has a model hear utterances in a process of its own (hearer.py), whatever becomes of that."""

import asyncio
import signal
import sys
from pathlib import Path

import msgspec

from common.errors import ModelError
from common.plain_text import plain
from edge.models.utterances import UNUSABLE, HeardOf, Utterances

HEARING_S_MAX = 60.0
"""For all of them; two dozen take a slow board 3 s."""

SENTENCE_LENGTH_MAX = 500

COMMAND: tuple[str, ...] = (sys.executable, "-m", "edge.models.hearer")


class DiedError(ModelError):
    """Raised when who ran a model did not live to tell, or took too long. The model may be at fault, or the board."""


class NobodyError(ModelError):
    """Raised when nobody could be started to run a model. The board is at fault."""


async def listen(folder: Path, asked: Utterances, s_max: float = HEARING_S_MAX) -> list[HeardOf]:
    """What it hears in each. ModelError, a sentence, if it cannot be used; DiedError; NobodyError."""
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(*COMMAND, str(folder), stdin=pipe, stdout=pipe, stderr=pipe)
    except OSError as error:
        raise NobodyError(f"{folder}: nobody can be started to hear with it: {error.strerror}.") from error
    try:
        async with asyncio.timeout(s_max):
            told, complaint = await process.communicate(msgspec.msgpack.encode(asked))
    except TimeoutError as error:
        raise DiedError(f"{folder}: who ran it took longer than {s_max:g} s.") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    status = process.returncode or 0
    if status < 0:
        raise DiedError(f"{folder}: who ran it died of {signal.Signals(-status).name}.")
    # Of a traceback, too, the last line says it.
    why = plain(complaint.decode(errors="replace").strip().rpartition("\n")[2])[-SENTENCE_LENGTH_MAX:]
    if status == UNUSABLE:
        raise ModelError(why)
    if status:
        # Such as for want of memory.
        raise DiedError(f"{folder}: who ran it failed: {why}.")
    try:
        heard = msgspec.msgpack.decode(told, type=list[HeardOf])
    except msgspec.DecodeError as error:
        raise ModelError(f"{folder}: who ran it told nothing that can be read.") from error
    if asked.utterances and len(heard) != len(asked.utterances):
        raise ModelError(f"{folder}: who ran it told of {len(heard)} utterances, not {len(asked.utterances)}.")
    return heard
