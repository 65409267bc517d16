"""Which boards are enrolled, and whose certificates are no longer good."""

from pathlib import Path

import msgspec

from common.errors import IdentityError
from common.record import Record


class Board(msgspec.Struct):
    """An enrolled board, by its device id; or one that was."""

    enrolled_at_unix_us: int
    renewed_at_unix_us: int
    """When its newest certificate was issued."""
    expires_at_unix_us: int
    """Of its newest certificate."""
    refused_before_unix_us: int
    """Certificates issued before are no longer good, whether they stand here or were forgotten with an older backup."""
    revoked: bool = False


class _Boards(msgspec.Struct):
    boards: dict[str, Board] = {}
    newest_us: int = 0
    """Time of the newest certificate or revocation: times that are compared never go back, whatever the clock does."""


class ShutOut(IdentityError):
    """Raised when a board that is let in no longer wants a newer certificate."""


class Boards:
    """The list, in one file, read again whenever it changes."""

    def __init__(self, file: Path) -> None:
        self._record = Record(file, _Boards)

    def all(self) -> dict[str, Board]:
        """By device id, in order."""
        return dict(sorted(self._record.read().boards.items()))

    def why_not(self, device_id: str, issued_at_unix_us: int) -> str | None:
        """Why the bearer of a certificate of this authority is not let in, a sentence; None: it is."""
        return _why_not(self._record.read(), device_id, issued_at_unix_us)

    def add(self, device_id: str, now_us: int, life_us: int, *, replace: bool) -> Board | None:
        """A board is about to get its first certificate: its entry, whose times are those of the certificate. None if
        it is enrolled already and shall not be replaced; a replaced board's certificates are no longer good."""
        with self._record.change() as content:
            before = content.boards.get(device_id)
            if before is not None and not before.revoked and not replace:
                return None
            now_us = content.newest_us = max(now_us, content.newest_us + 1)
            board = Board(now_us, now_us, now_us + life_us, refused_before_unix_us=now_us)
            content.boards[device_id] = board
        return board

    def renew(self, device_id: str, issued_at_unix_us: int | None, now_us: int, life_us: int) -> Board:
        """A board is about to get a newer certificate for the one issued then; None: for its code. Its entry. ShutOut
        if it is let in no longer, which is judged by what nobody else changes meanwhile."""
        with self._record.change() as content:
            if sentence := _why_not(content, device_id, issued_at_unix_us):
                raise ShutOut(sentence)
            board = content.boards[device_id]
            board.renewed_at_unix_us = content.newest_us = max(now_us, content.newest_us + 1)
            board.expires_at_unix_us = board.renewed_at_unix_us + life_us
        return board

    def revoke(self, device_id: str, now_us: int) -> None:
        """IdentityError, a sentence, if there is no such board."""
        with self._record.change() as content:
            board = content.boards.get(device_id)
            if board is None:
                known = ", ".join(sorted(content.boards)) or "none"
                raise IdentityError(f"No board called {device_id} is enrolled here; there are: {known}.")
            content.newest_us = max(now_us, content.newest_us + 1)
            board.refused_before_unix_us = content.newest_us + 1
            board.revoked = True


def _why_not(content: _Boards, device_id: str, issued_at_unix_us: int | None) -> str | None:
    board = content.boards.get(device_id)
    if board is None:
        return f"No board called {device_id} is enrolled here."
    if board.revoked:
        return f"The board {device_id} was revoked."
    if issued_at_unix_us is not None and issued_at_unix_us < board.refused_before_unix_us:
        return f"Another board is {device_id} now; this one's certificate is no longer good."
    return None
