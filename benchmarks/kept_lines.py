"""What was made of recordings, a line of JSON each, so that a run that was killed goes on where it was."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

T = TypeVar("T")


def kept_lines(file: Path, of: type[T]) -> Iterator[T]:
    """All of them; the half line of a run that was killed is cut off, and made again."""
    if not file.exists():
        return
    whole = file.read_bytes()
    if whole and not whole.endswith(b"\n"):
        whole = whole[: whole.rfind(b"\n") + 1]
        file.write_bytes(whole)
    decoder = msgspec.json.Decoder(of)
    yield from (decoder.decode(line) for line in whole.splitlines())
