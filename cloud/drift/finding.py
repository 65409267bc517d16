"""What a watch tells: a change with its likely causes, or that one is over."""

from typing import Literal

import msgspec

from cloud.drift.causes.cause import Cause
from cloud.drift.change import Change


class Finding(msgspec.Struct, frozen=True):
    """Of one stream."""

    kind: Literal["changed", "recovered"]
    stream: str
    at_unix_us: int | None
    """Of the utterance that told it."""
    change: Change
    causes: tuple[Cause, ...]
    """The likeliest first, at least one."""
    is_word: bool = False
    """Of a word by itself. Further findings of what is usual in a stream are of the same change, this is one more."""

    @property
    def cause(self) -> Cause:
        return self.causes[0]
