"""Work for several cores: processes that end with whoever started them."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process

from common.errors import DataError


@contextmanager
def processes(
    count: int, prepare: Callable[..., None] | None = None, *arguments: object
) -> Iterator[ProcessPoolExecutor]:
    """So many, each of which calls `prepare` first. Who leaves early, by Ctrl-C as well, leaves nothing to do behind.
    DataError if one of them dies."""
    # Spawned: a fork of a program with threads, such as TensorFlow's, may hang.
    pool = ProcessPoolExecutor(count, get_context("spawn"), _start, (prepare, arguments))
    try:
        yield pool
    except BrokenProcessPool as error:
        raise DataError("A process that worked on the clips died; was there too little memory?") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _start(prepare: Callable[..., None] | None, arguments: tuple[object, ...]) -> None:
    # Ctrl-C goes to all processes of a terminal; the executor would take it for a result, and give us more to do.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if prepare is not None:
        prepare(*arguments)


def _end_with_parent() -> None:
    """Who was killed cannot tell its processes to end."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
