"""How `parrotlet-edge status` shows what the daemon says."""

from collections.abc import Mapping, Sequence
from typing import Any

from common.plain_text import plain
from edge.actions.action import BOARD
from edge.board.timers_line import timers_line

Said = Mapping[str, Any]
"""See Board.status."""


def status_lines(said: Said) -> list[str]:
    """A screenful."""
    health = "healthy" if said["healthy"] else f"NOT HEALTHY: {said['ailment']}"
    rows = [
        ("board", f"{said['device_id']}, parrotlet-edge {said['version']}, process {said['pid']}"),
        ("state", f"{health}, running for {span(said['uptime_s'])}"),
        ("microphone", microphone_line(said["microphone"])),
        ("activation", f"{activation_line(said['activation'])}; VAD {said['vad']['aggressiveness']}"),
        *_services(said["services"]),
        ("utterances", "{heard} heard, {answered} answered, {awaited} under way".format(**said["utterances"])),
        ("spool", _spool(said["spool"])),
        ("last", _last(said["last_answer"])),
        *_actions(said.get("actions") or {}),
    ]
    if said["temperature_c"] is not None:
        rows.append(("processor", f"{said['temperature_c']:.0f} °C"))
    if said["last_answer"] and said["last_answer"]["results"]:
        rows.append(("found", "; ".join(said["last_answer"]["results"][:3])))
    if said.get("answer") and said["answer"]["trouble"]:
        rows.append(("loudspeaker", f"NOT HEARD: {said['answer']['trouble']}"))
    if timers := timers_line(said.get("timers", [])):
        rows.append(("timers", timers))
    return [f"{name:<10}  {plain(value)}" for name, value in rows]


def span(seconds: float) -> str:
    """A length of time as people say it, such as "3 min"."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.0f} days"


def microphone_line(said: Said) -> str:
    """What it is called, and why nothing is heard, if so."""
    words = {"open": "", "absent": "missing and looked for", "opening": "being opened", "muted": "MUTED"}
    state = str(words.get(said["state"], said["state"]))
    # A daemon that is older than the command says less.
    if said.get("muted_by") == "switch":
        state += " by its switch"
    if not said.get("mute_is_kept", True):
        state += ", which a restart will not know"
    if said.get("all_zeros"):
        state += "ALL ZEROS: a switch on the microphone, or a broken one"
    overruns = f", {said['overruns']} overruns" if said["overruns"] else ""
    return f"{said['name']}{', ' if state else ''}{state}{overruns}"


def activation_line(said: Said) -> str:
    """When it listens, and what it waits for."""
    if said["mode"] == "always":
        return "always"
    waits_for = f'"{said["phrase"]}"' if said.get("phrase") else "a press"
    return f"{said['mode']}, " + ("listening now" if said["listening"] else f"waiting for {waits_for}")


def list_lines(lists: Mapping[str, Sequence[str]]) -> list[str]:
    """Each list, and what is on it."""
    if not lists:
        return ["There is nothing on any list."]
    return [
        line for name, items in lists.items() for line in (f"{plain(name)}:", *(f"  {plain(one)}" for one in items))
    ]


def _services(said: list[Said]) -> list[tuple[str, str]]:
    return [(service["path"], _service(service)) for service in said] or [("service", "none")]


def _service(said: Said) -> str:
    if said["down"]:
        return f"NOT THERE: {said['down']}"
    ago_s = said["answered_ago_s"]
    known = f" as {said['known_as']}" if said["known_as"] else ""
    return f"{said['address']}{known}, " + ("not asked yet" if ago_s is None else f"answered {span(ago_s)} ago")


def _spool(said: Said | None) -> str:
    if said is None:
        return "none"
    dropped = f", {said['dropped']} dropped" if said["dropped"] else ""
    if said["trouble"]:
        return f"IN TROUBLE: {said['trouble']}{dropped}"
    quarantined = f", {said['quarantined']} set aside" if said["quarantined"] else ""
    return f"{said['waiting']} wait to be sent, {said['bytes'] / 1000:.0f} kB{quarantined}{dropped}"


def _actions(said: Said) -> list[tuple[str, str]]:
    """Rows of those that act, where any do."""
    # What the board does by itself is seen and heard there.
    sinks = [sink for sink in said.get("sinks", ()) if sink["name"] != BOARD or sink["last_error"]]
    rows = [("actions", _sink(sink, dry_run=said["dry_run"])) for sink in sinks]
    if said.get("broker") and said["broker"]["down"]:
        rows.append(("broker", f"NOT THERE: {said['broker']['down']}"))
    return rows


def _sink(said: Said, *, dry_run: bool) -> str:
    counts = {"waiting": said["waiting"], **said["outcomes"]}
    told = [f"{count} {outcome.replace('_', ' ')}" for outcome, count in counts.items() if count]
    error = f"; last fault: {said['last_error']}" if said["last_error"] else ""
    return f"{said['name']}: {', '.join(told) or 'none yet'}{error}" + (" (DRY RUN)" if dry_run else "")


def _last(said: Said | None) -> str:
    if said is None:
        return "nothing heard yet"
    ago = f"{span(said['ago_s'])} ago"
    if said["path"] == "none":
        return f"not answered, {ago}: {said['why_not_better']}"
    words = f'"{said["transcript"]}"' if said["transcript"] else "(no words)"
    took_ms = said["endpoint_to_final_ms"]
    return f"{words}, {ago}, by {said['path']}" + (" later" if took_ms is None else f" in {took_ms} ms")
