"""What a page is told that gets nothing: a status and one sentence, as JSON."""

import math
from collections.abc import Mapping

import msgspec


class Refused(Exception):
    """Raised where a request shall get no more than this."""

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = dict(headers or {})

    @property
    def body(self) -> bytes:
        return msgspec.json.encode({"sentence": str(self)})


def too_often(wait_s: float, sentence: str) -> Refused:
    """Wait; the sentence is followed by how long."""
    whole_s = max(1, math.ceil(wait_s))
    said = f"{whole_s} s" if whole_s < 120 else f"{math.ceil(whole_s / 60)} minutes"
    return Refused(429, f"{sentence} Try again in {said}.", {"Retry-After": str(whole_s)})
