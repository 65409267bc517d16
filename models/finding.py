"""Something that a check found in a data set: what, where, how bad, and what would mend it."""

import enum

import msgspec


class Severity(enum.StrEnum):
    """How bad it is, worst first."""

    ERROR = "error"
    """The clip cannot be used, or teaches something wrong."""
    WARNING = "warning"
    """Against the agreement; a person should look."""
    NOTE = "note"
    """Worth knowing."""


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of them. `before` and `after` are there where a fix is safe to make."""

    kind: str
    """What was looked for, by its name in the settings and the report: ``fillers``, ``clipping``."""
    severity: Severity
    sentence: str
    line: int | None = None
    """Of the manifest, from 1; None: it concerns the whole set."""
    path: str | None = None
    """Of the clip."""
    before: str | None = None
    after: str | None = None
