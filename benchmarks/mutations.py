"""What is done to requests that were in order: bytes turned, cut, doubled, mixed up, and requests in another order."""

import random
from collections.abc import Callable, Sequence

CHANGES_MAX = 4
DISORDERED_SHARE, FIRST_SHARE = 0.2, 0.3

Change = Callable[[random.Random, bytes, bytes], bytes]


def changed(draw: random.Random, requests: Sequence[bytes], others: Sequence[bytes]) -> tuple[bytes, ...]:
    """The requests with a few changes; what is mixed in comes from the others."""
    made = list(requests) or [b""]
    for _ in range(draw.randint(1, CHANGES_MAX)):
        if draw.random() < DISORDERED_SHARE:
            made = draw.choice(_DISORDERS)(draw, made) or [b""]
        else:
            # Mostly not the first: behind one that is refused nothing is read.
            at = draw.randrange(len(made)) if draw.random() < FIRST_SHARE else draw.randrange(len(made) // 2, len(made))
            made[at] = draw.choice(_CHANGES)(draw, made[at], draw.choice(others or (b"",)))
    return tuple(made)


def _flip(draw: random.Random, data: bytes, other: bytes) -> bytes:
    turned = bytearray(data or b"\0")
    for _ in range(draw.choice((1, 1, 1, 8))):
        turned[draw.randrange(len(turned))] ^= 1 << draw.randrange(8)
    return bytes(turned)


def _cut(draw: random.Random, data: bytes, other: bytes) -> bytes:
    return data[: draw.randint(0, len(data))]


def _drop(draw: random.Random, data: bytes, other: bytes) -> bytes:
    first, last = _part(draw, data)
    return data[:first] + data[last:]


def _double(draw: random.Random, data: bytes, other: bytes) -> bytes:
    first, last = _part(draw, data)
    return data[:last] + data[first:last] * draw.choice((1, 1, 2, 50)) + data[last:]


def _splice(draw: random.Random, data: bytes, other: bytes) -> bytes:
    return data[: draw.randint(0, len(data))] + other[draw.randint(0, len(other)) :]


def _strew(draw: random.Random, data: bytes, other: bytes) -> bytes:
    at = draw.randint(0, len(data))
    return data[:at] + draw.randbytes(draw.choice((1, 2, 8, 64))) + data[at:]


def _extreme(draw: random.Random, data: bytes, other: bytes) -> bytes:
    """Over what may be a number or a length: the least and the most that a varint says, and one without an end."""
    at = draw.randint(0, len(data))
    value = draw.choice((b"\0", b"\x7f", b"\xff\xff\xff\xff\x0f", b"\xff" * 9 + b"\x01", b"\xff" * 12))
    return data[:at] + value + data[at + draw.choice((0, 1, len(value))) :]


def _append(draw: random.Random, data: bytes, other: bytes) -> bytes:
    """Two messages in one are the second laid over the first."""
    return data + other


_CHANGES: Sequence[Change] = (_flip, _flip, _cut, _drop, _double, _splice, _strew, _extreme, _append)


def _shuffle(draw: random.Random, requests: list[bytes]) -> list[bytes]:
    return draw.sample(requests, len(requests))


def _repeat(draw: random.Random, requests: list[bytes]) -> list[bytes]:
    at = draw.randrange(len(requests))
    return requests[:at] + [requests[at]] * 2 + requests[at + 1 :]


def _leave_out(draw: random.Random, requests: list[bytes]) -> list[bytes]:
    at = draw.randrange(len(requests))
    return requests[:at] + requests[at + 1 :]


_DISORDERS: Sequence[Callable[[random.Random, list[bytes]], list[bytes]]] = (_shuffle, _repeat, _leave_out)


def _part(draw: random.Random, data: bytes) -> tuple[int, int]:
    first = draw.randint(0, len(data))
    return first, min(len(data), first + draw.choice((1, 2, 8, 64)))
