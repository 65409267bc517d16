"""How far a long check is: told by whoever works, shown by whoever wants to."""

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol, TypeVar

T = TypeVar("T", covariant=True)

Tell = Callable[[int, int], None]
"""Called with how many are done and how many there are."""

_tell: ContextVar[Tell | None] = ContextVar("tell", default=None)


class Things(Iterable[T], Sized, Protocol[T]):
    """What can be gone through and counted."""


def watched(things: Things[T]) -> Iterator[T]:
    """The things, one after the other, while whoever listens hears how far it is."""
    tell = _tell.get()
    for done, thing in enumerate(things):
        if tell is not None:
            tell(done, len(things))
        yield thing


@contextmanager
def heard_by(tell: Tell) -> Iterator[None]:
    """Within, `tell` hears."""
    token = _tell.set(tell)
    try:
        yield
    finally:
        _tell.reset(token)
