"""What a broker is told of a board: one JSON object, a key for each thing that Home Assistant shows."""

from collections.abc import Mapping
from typing import Any

Said = Mapping[str, Any]
"""See Board.status."""

ON, OFF = "ON", "OFF"

TEXT_CHARACTERS_MAX = 255
"""More is no state at Home Assistant."""


def board_state(said: Said, *, transcripts: bool) -> dict[str, Any]:
    """None is "not known" there."""
    last = said["last_answer"] or {}
    spool = said["spool"] or {}
    return {
        "state": _state(said),
        "transcript": _short(last.get("transcript")) if transcripts else None,
        "intent": last.get("intent"),
        "level_dbfs": last.get("level_dbfs"),
        "snr_db": last.get("snr_db"),
        "spool_waiting": spool.get("waiting"),
        "link": ON if any(service["down"] is None for service in said["services"]) else OFF,
        "microphone": said["microphone"]["state"],
        "problem": OFF if said["healthy"] else ON,
        "muted": ON if said["microphone"]["muted_by"] else OFF,
    }


def _state(said: Said) -> str:
    if said["microphone"]["muted_by"]:
        return "muted"
    if said["microphone"]["state"] != "open":
        return "no microphone"
    if said["utterances"]["awaited"]:
        return "answering"
    activation = said["activation"]
    return "listening" if activation["mode"] == "always" or activation["listening"] else "waiting"


def _short(text: str | None) -> str | None:
    return text[:TEXT_CHARACTERS_MAX] if text else None
