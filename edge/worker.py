"""Threads that are missed when they die."""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Worker:
    """Does one piece of work in a thread, and keeps what it died of."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self.name = name
        self.error: Exception | None = None
        """Why the work ended before its time."""
        self._work = work
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def join(self, patience_s: float) -> None:
        self._thread.join(patience_s)

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:  # Not swallowed: whoever started the work looks, and raises it.
            self.error = error


class Ahead(Generic[T]):
    """What `items` yields, produced in a thread, so that a slow reader does not hold it up.

    When `size` items wait, the thread waits too. What `items` raises is raised to the reader, after all items before.
    """

    def __init__(self, items: Iterator[T], *, size: int, name: str) -> None:
        self._items = items
        # None is the last item.
        self._ready: queue.Queue[T | None] = queue.Queue(size)
        self._stopped = threading.Event()
        self._worker = Worker(name, self._produce)
        self._worker.start()

    def __iter__(self) -> Iterator[T]:
        while (item := self._ready.get()) is not None:
            yield item
        self._worker.join(1.0)
        self.check()

    def check(self) -> None:
        """Raises what the thread died of, if it did."""
        if self._worker.error is not None:
            raise self._worker.error

    def stop(self, patience_s: float) -> None:
        """Nobody reads any more: the thread ends with the next item, or when it has waited for so long."""
        self._stopped.set()
        self._worker.join(patience_s)

    def _produce(self) -> None:
        try:
            for item in self._items:
                if not self._put(item):
                    return
        finally:
            self._put(None)

    def _put(self, item: T | None) -> bool:
        """False when nobody reads any more."""
        while not self._stopped.is_set():
            try:
                self._ready.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False
