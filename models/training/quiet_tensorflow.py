"""TensorFlow without what it tells of itself, which is for who builds it; what goes wrong is still told."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from common.quiet_stderr import quiet_stderr


@contextmanager
def quiet_tensorflow() -> Iterator[None]:
    """For what loads it, which takes seconds, and for what has it convert."""
    # Read when it is loaded.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with quiet_stderr():
        yield
