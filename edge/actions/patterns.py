"""Which actions a sink is for: names as a shell matches those of files, such as "light.*"."""

from collections.abc import Sequence
from fnmatch import fnmatchcase


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether any of them fits."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)
