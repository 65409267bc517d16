"""Keeps the chatter of libraries off standard error, which they write to past all of Python."""

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_STDERR = 2
_CHATTER = re.compile(
    rb"ALSA lib |Cannot connect to server |jack server is not |Jack|Expression '"
    rb"|Cannot create (thread|message buffer)"
    rb"|BDB\d+ |Cannot open DB environment|INFO: Created TensorFlow Lite "
    rb"|WARNING: All log messages before absl::|I0000 |WARNING:absl:Please consider providing the trackable_obj"
    rb"|fully_quantize: |\s*$"
)
_one_at_a_time = threading.Lock()


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """What ALSA, JACK, PortAudio and TensorFlow print meanwhile is dropped; lines of others come out at the end."""
    with _one_at_a_time, tempfile.TemporaryFile() as kept:
        sys.stderr.flush()
        stderr = os.dup(_STDERR)
        os.dup2(kept.fileno(), _STDERR)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(stderr, _STDERR)
            kept.seek(0)
            others = b"".join(line for line in kept if not _CHATTER.match(line))
            os.write(stderr, others)
            os.close(stderr)
