"""How what is kept in the spool is shown and handed over: `parrotlet-edge spool`."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from common.errors import SpoolError
from common.settings import Loaded
from edge import directories
from edge.clock import shown_time
from edge.settings import EdgeSettings
from edge.spool import damaged, kept_frames, sounds
from edge.spool.erasure import Erasure
from edge.spool.event import Event
from edge.spool.kept_frames import UnreadableError
from edge.spool.phone_places import place_of
from edge.spool.spool import FILE_NAME
from edge.spool.store import DATABASE_ERRORS, Figures, Kept, Quota, SpoolStore, State

STATES = {State.SPEAKING: "being said", State.WAITING: "waits", State.QUARANTINED: "set aside"}


@contextmanager
def opened(loaded: Loaded[EdgeSettings], *, phone: str | None = None, make: bool = False) -> Iterator[SpoolStore]:
    """The spool of the board, or of a phone that has one of its own; its daemon may be running. SpoolError, a sentence,
    if there is none and none is to be made, or it cannot be used."""
    name = place_of(Path(), phone) / FILE_NAME
    file = directories.found(loaded, directories.STATE, str(name))
    if file is None and make:
        file = directories.usable(loaded, directories.STATE) / name
    if file is None:
        looked = " or ".join(str(directory / FILE_NAME) for directory in _places(loaded, phone))
        raise SpoolError(f"There is no spool at {looked}: nothing was kept yet.")
    settings = loaded.settings.spool
    try:
        store = SpoolStore(file, Quota(settings.megabytes_max << 20, settings.answers_max))
    except DATABASE_ERRORS as error:
        raise SpoolError(f"{file}: cannot be opened ({error}); try sudo.") from error
    try:
        yield store
    except DATABASE_ERRORS as error:
        raise SpoolError(f"{file}: cannot be used now ({error}).") from error
    finally:
        store.close()


def remove_damaged(loaded: Loaded[EdgeSettings], phone: str | None = None) -> None:
    """Spools that could not be read any more and were set aside. SpoolError."""
    for directory in _places(loaded, phone):
        try:
            for spool in damaged.spools(directory / FILE_NAME):
                damaged.remove(spool)
        except OSError as error:
            raise SpoolError(f"{directory}: damaged spools cannot be erased: {error.strerror or error}.") from error


def sound_ids(loaded: Loaded[EdgeSettings], phone: str | None = None) -> set[str]:
    """Of the utterances whose sound is kept. SpoolError."""
    return set().union(*_in_each_sound_folder(loaded, phone, sounds.ids))


def erase_sounds(loaded: Loaded[EdgeSettings], erasure: Erasure, phone: str | None = None) -> set[str]:
    """Ids of the utterances whose sound was kept, and is not any more. SpoolError."""
    return set().union(*_in_each_sound_folder(loaded, phone, lambda folder: sounds.erase(folder, erasure)))


def _places(loaded: Loaded[EdgeSettings], phone: str | None) -> list[Path]:
    return [place_of(directory, phone) for directory in directories.candidates(loaded, directories.STATE)]


def _in_each_sound_folder(
    loaded: Loaded[EdgeSettings], phone: str | None, do: Callable[[Path], set[str]]
) -> list[set[str]]:
    done = []
    for directory in _places(loaded, phone):
        try:
            done.append(do(directory / sounds.SOUND_FOLDER))
        except OSError as error:
            raise SpoolError(f"{directory}: kept sound cannot be erased: {error.strerror or error}.") from error
    return done


def chosen(store: SpoolStore, ids: Sequence[str], *, every: bool, states: Sequence[State]) -> list[Kept]:
    """Those that are named by how their ids begin, or every one. SpoolError for a name that fits none or many."""
    kept = store.kept(*states)
    if every:
        return kept
    named = []
    for begun in ids:
        fitting = [one for one in kept if one.head.utterance_id.startswith(begun)]
        if len(fitting) != 1:
            where = " or ".join(STATES[state] for state in states) or "kept"
            raise SpoolError(
                f"{begun}: {len(fitting)} utterances that are {where} begin so; see: parrotlet-edge spool list"
            )
        named += fitting
    return named


def status_lines(figures: Figures, answers: int) -> list[str]:
    """What is in it, in a few lines; `answers`: how many are kept."""
    rows = [
        ("waiting", f"{figures.waiting} utterances"),
        ("set aside", f"{figures.quarantined} utterances"),
        ("on disk", f"{figures.bytes / 1000:.0f} kB"),
        ("oldest", "-" if figures.oldest_at_unix_us is None else shown_time(figures.oldest_at_unix_us)),
        ("answers", str(answers)),
    ]
    return [f"{name:<10}  {value}" for name, value in rows]


def list_lines(kept: Sequence[Kept]) -> list[str]:
    """A line an utterance, the oldest first."""
    lines = []
    for one in kept:
        length = f"{one.end.duration_ms / 1000:5.1f} s" if one.end else "      -"
        tries = f"{one.attempts} tries" if one.attempts else ""
        why = f"  {one.last_error}" if one.last_error else ""
        told = "told" if one.told else ""
        state = STATES[one.state]
        spoken = shown_time(one.head.started_at_unix_us)
        lines.append(f"{one.head.utterance_id}  {spoken}  {length}  {state:<10}  {told:<4}  {tries:<8}{why}".rstrip())
    return lines


def described(one: Kept) -> dict[str, Any]:
    """All that is known of an utterance, but its frames."""
    return {
        "utterance_id": one.head.utterance_id,
        "state": STATES[one.state],
        "head": msgspec.to_builtins(one.head),
        "end": msgspec.to_builtins(one.end),
        "coding": one.coding,
        "bytes": one.bytes,
        "attempts": one.attempts,
        "told": one.told,
        "last_error": one.last_error,
    }


def show_lines(one: Kept, events: Sequence[Event]) -> list[str]:
    """A screenful on one utterance, and what its user was told."""
    said = described(one)
    lines = list_lines([one])
    for part in ("head", "end"):
        lines += [f"  {key:<24} {value}" for key, value in (said[part] or {}).items()]
    lines += [f"  {key:<24} {said[key]}" for key in ("coding", "bytes")]
    return lines + [
        f"  {shown_time(event.at_unix_us)}  {event.kind}  {event.sentence or ''}".rstrip() for event in events
    ]


def export(store: SpoolStore, one: Kept, folder: Path) -> None:
    """Writes ID.json, and ID.npy with its levels as (frames, bands). SpoolError if that cannot be done."""
    try:
        levels = [frames.levels for frames in kept_frames.frames(one.coding, store.pieces(one.number))]
        folder.mkdir(parents=True, exist_ok=True)
        np.save(
            folder / f"{one.head.utterance_id}.npy", np.concatenate(levels) if levels else np.zeros((0, 0), np.int8)
        )
        said = msgspec.json.format(msgspec.json.encode(described(one)), indent=2)
        (folder / f"{one.head.utterance_id}.json").write_bytes(said + b"\n")
    except UnreadableError as error:
        raise SpoolError(f"{one.head.utterance_id}: {error}") from error
    except OSError as error:
        raise SpoolError(f"{folder}: cannot be written to: {error.strerror or error}.") from error
