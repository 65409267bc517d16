"""How much of it a service may use, where its owner does not say."""

import os

from cloud.settings import CloudSettings

WORKER_MIB = 1024
"""Memory of the machine for a worker: pocketsphinx with half a dozen people in open speech, and some of the rest."""

STREAMS_PER_WORKER = 32
"""Orders under a grammar that a worker bears in real time. Of open speech it bears fewer, and refuses by what it
measures: see cloud/workers/load.py."""


def processors() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0))


def memory_mib() -> int:
    """Of the whole machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20


def sphinx_workers(settings: CloudSettings) -> int:
    """As set, else a processor each, where there is memory for them."""
    return settings.decoding.workers or max(1, min(processors(), memory_mib() // WORKER_MIB))


def whisper_workers(settings: CloudSettings) -> int:
    """As set, else half as many: an utterance costs Whisper half of what it costs pocketsphinx."""
    return settings.decoding.whisper_workers or max(1, sphinx_workers(settings) // 2)


def streams_max(settings: CloudSettings) -> int:
    """As set, else what the workers bear at the very most."""
    return settings.server.streams_max or STREAMS_PER_WORKER * sphinx_workers(settings)
