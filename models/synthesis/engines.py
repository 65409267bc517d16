"""The synthesisers that are there, and the voices that are asked for."""

import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from common.errors import DataError, EngineError
from models.synthesis.engine import Engine, Voice
from models.synthesis.piper import Piper
from models.synthesis.programs import EspeakNg, Festival, Flite


def engines(piper_models: Sequence[Path] = ()) -> list[Engine]:
    """All that are known, the nearest to a person first."""
    return [Piper(piper_models), Flite(), Festival(), EspeakNg()]


def voices(
    known: Sequence[Engine], patterns: Sequence[str], tell: Callable[[str], object]
) -> list[tuple[Engine, Voice]]:
    """Those that are asked for, by ENGINE, ENGINE/VOICE or with * in it; the usual ones of all engines where nobody is.
    What engines are missing is told. DataError if nothing is left, EngineError if who is asked for is missing."""
    found: list[tuple[Engine, Voice]] = []
    met: set[str] = set()
    for engine in known:
        asked = [pattern for pattern in patterns if fnmatchcase(engine.name, pattern.partition("/")[0])]
        if patterns and not asked:
            continue
        try:
            there = engine.voices()
        except EngineError as error:
            if asked:
                raise
            tell(str(error))
            continue
        for voice in there:
            by = [pattern for pattern in asked if _is_meant(pattern, engine, voice)]
            met.update(by)
            if by or (not patterns and re.fullmatch(engine.usual, voice.name)):
                found.append((engine, voice))
    if unmet := [pattern for pattern in patterns if pattern not in met]:
        raise DataError(f"--voice {unmet[0]}: there is no such voice; --list lists them.")
    if not found:
        raise DataError("There is no voice here.")
    return found


def _is_meant(pattern: str, engine: Engine, voice: Voice) -> bool:
    """The name of an engine alone means its usual voices."""
    if "/" in pattern:
        return fnmatchcase(voice.full_name, pattern)
    return re.fullmatch(engine.usual, voice.name) is not None
