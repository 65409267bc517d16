"""One utterance in one worker process: what is to be sent next, how urgent it is, what came of it."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, Protocol

from cloud.decoders import Hypothesis
from cloud.workers.heard import Heard, Rank
from cloud.workers.worker_line import Done, Drop, Failed, Feed, Finish, Progress, ToWorker

PIECE_FRAMES_MAX = 50
"""Frames that a worker is given at a time. What gathers while it has others to do goes in one piece, with one partial;
and nobody is stopped by others for longer than two pieces take."""

AHEAD_S_MAX = 0.5
"""Somebody who speaks may be so far ahead of the time: a board sends what it heard before it was sure of the onset."""

OnProgress = Callable[[str, int], None]
"""Called with the words so far and the frames decoded so far."""


class WorkerLost(Exception):
    """Raised when the process died or was killed before it answered. Another worker may do it."""


class DecodingFailed(Exception):
    """Raised when the engine refuses the utterance. Another worker would refuse it too."""


class Urgency(NamedTuple):
    """Sorts what waits for a worker, the most urgent first."""

    rank: Rank
    is_partial: bool
    """Finals go before partials."""
    spoken_at: float
    """When the next frame was said: nobody gets further ahead than the time, while others wait."""


class Line(Protocol):
    """The way to the worker: `WorkerProcess`."""

    def write(self, message: ToWorker) -> None:
        """Never waits."""

    def more(self) -> None:
        """A job has more to send."""

    def forget(self, job: int) -> None:
        """The job is over."""


class WorkerJob:
    """Must be closed."""

    def __init__(self, line: Line, number: int, heard: Heard, on_progress: OnProgress) -> None:
        self.number = number
        self.worked_s = 0.0
        """What the worker spent on it."""
        self.decoded = 0
        """Frames that were decoded."""
        self._line = line
        self._heard = heard
        self._on_progress = on_progress
        self._next_piece = 0
        self._sent = 0
        self._finishing = False
        self._outcome: asyncio.Future[Hypothesis] = asyncio.get_running_loop().create_future()

    def has_work(self, frames_min: int) -> bool:
        """Whether there is something to send: so many frames, or the last ones, or the end."""
        pending = self._heard.frames - self._sent
        return pending >= max(1, frames_min) or (self._heard.ended_at is not None and not self._finishing)

    def urgency(self, now: float) -> Urgency:
        """Of what is sent next."""
        # The end of a file that was sent faster than it is spoken is not due yet.
        due = self._heard.ended_at is not None and now + AHEAD_S_MAX >= self._heard.spoken_at(self._heard.frames)
        return Urgency(self._heard.rank, not due, self._heard.spoken_at(self._sent))

    def lag_s(self, now: float) -> float:
        """Seconds of speech that were said and not sent yet; what a file is ahead does not count."""
        return min(self._heard.seconds, now - self._heard.spoken_at(0)) - self._sent * self._heard.frame_s

    def next_message(self) -> ToWorker:
        """What is sent next; counts as sent."""
        pieces = self._heard.pieces
        if self._next_piece == len(pieces):
            self._finishing = True
            return Finish(self.number)
        first, frames = self._next_piece, 0
        while self._next_piece < len(pieces) and (
            not frames or frames + len(pieces[self._next_piece]) <= PIECE_FRAMES_MAX
        ):
            frames += len(pieces[self._next_piece])
            self._next_piece += 1
        self._sent += frames
        return Feed(self.number, b"".join(piece.tobytes() for piece in pieces[first : self._next_piece]))

    def more(self) -> None:
        """There are more frames, or the end."""
        self._line.more()

    async def outcome(self) -> Hypothesis:
        """The hypothesis, waited for. WorkerLost or DecodingFailed."""
        return await asyncio.shield(self._outcome)

    def close(self) -> None:
        """Nobody wants it any more. May be called twice."""
        if not self._outcome.done():
            self._line.write(Drop(self.number))
            self._outcome.cancel()
        self._line.forget(self.number)

    def hear(self, message: Progress | Done | Failed) -> None:
        match message:
            case Progress(_, frames, text, worked_s):
                self.worked_s += worked_s
                self.decoded += frames
                if text is not None:
                    self._on_progress(text, self.decoded)
            case Done(_, hypothesis, worked_s):
                self.worked_s += worked_s
                self._line.forget(self.number)
                if not self._outcome.done():
                    self._outcome.set_result(hypothesis)
            case Failed(_, why):
                self._settle(DecodingFailed(why))

    def lose(self) -> None:
        """The process is gone."""
        self._settle(WorkerLost())

    def _settle(self, error: Exception) -> None:
        self._line.forget(self.number)
        if not self._outcome.done():
            self._outcome.set_exception(error)
            # Whoever waits gets it; where nobody waits any more, asyncio need not complain.
            self._outcome.exception()
