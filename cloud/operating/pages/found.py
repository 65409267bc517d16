"""Search over the log."""

from collections.abc import Mapping
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from cloud.log.reader import LogReader
from cloud.log.wanted import TEXT_LENGTH_MAX, Wanted

SHOWN = 50

TEXTS = ("text", "device_id", "intent", "engine", "domain", "model")
NUMBERS = ("confidence_max", "snr_max")
CHOICES = {"empty": {"yes": True, "no": False}, "judged": {"yes": True, "no": False}}


def found(log: Path, asked: Mapping[str, str]) -> dict[str, Any]:
    """The page's values, of what stands in its form; what is no number or day is not asked for."""
    wanted, before = wanted_of(asked), asked.get("before", "")
    with closing(LogReader(log)) as reader:
        entries = reader.newest(wanted, SHOWN + 1)
    is_more = len(entries) > SHOWN
    entries = entries[:SHOWN]
    return {
        "asked": {name: asked.get(name, "") for name in (*TEXTS, *NUMBERS, *CHOICES, "since", "until")},
        "entries": entries,
        "is_asked": wanted != Wanted(),
        "before": before,
        "next": entries[-1].number if is_more else None,
    }


def wanted_of(asked: Mapping[str, str]) -> Wanted:
    """What a form asks for."""
    values: dict[str, Any] = {name: text for name in TEXTS if (text := asked.get(name, "").strip()[:TEXT_LENGTH_MAX])}
    for name in NUMBERS:
        with suppress(ValueError):
            values[name] = float(asked.get(name, "")) / (100 if name == "confidence_max" else 1)
    for name, meaning in CHOICES.items():
        if (chosen := asked.get(name, "")) in meaning:
            values[name] = meaning[chosen]
    for name in ("since", "until"):
        with suppress(ValueError, OverflowError, OSError):
            values[f"{name}_unix_us"] = round(datetime.fromisoformat(asked.get(name, "")).timestamp() * 1e6)
    with suppress(ValueError, OverflowError):
        # SQLite's numbers have 64 bits.
        values["before_number"] = max(0, min(int(asked.get("before", "")), 2**62))
    return msgspec.structs.replace(Wanted(), **values)
