"""Lists that people keep by voice, such as what to buy: bounded, in one private file that is whole or not there."""

import logging
import threading
from pathlib import Path

import msgspec

from common.errors import ActionError
from common.private_files import write_private

logger = logging.getLogger(__name__)

FILE_NAME = "lists.json"

LISTS_MAX = 16
ITEMS_MAX = 200
"""Of one list."""
CHARACTERS_MAX = 100
"""Of an item, or of a list's name."""


class Lists:
    """For any thread. ActionError, a sentence without a word of what was said, where something is not possible; then
    nothing has changed."""

    def __init__(self, file: Path) -> None:
        """A file that cannot be read is told in the log, kept beside, and there are no lists."""
        self._file = file
        self._lock = threading.Lock()
        self._items = _read(file)

    def all(self) -> dict[str, list[str]]:
        """By the names of the lists."""
        with self._lock:
            return {name: list(items) for name, items in self._items.items()}

    def items(self, name: str) -> list[str]:
        """In the order in which they were added."""
        with self._lock:
            return list(self._items.get(name, ()))

    def add(self, name: str, item: str) -> bool:
        """False where it is on the list already."""
        item = " ".join(item.split())[:CHARACTERS_MAX]
        with self._lock:
            items = self._items.get(name, [])
            if item.casefold() in (one.casefold() for one in items):
                return False
            if len(items) >= ITEMS_MAX:
                raise ActionError(f"The list is full: it has {ITEMS_MAX} items.")
            if name not in self._items and (len(self._items) >= LISTS_MAX or len(name) > CHARACTERS_MAX):
                raise ActionError(f"There are {LISTS_MAX} lists already, or the name of this one is too long.")
            self._write(self._items | {name: [*items, item]})
            return True

    def clear(self, name: str) -> int:
        """How many items were on it."""
        with self._lock:
            items = self._items.get(name, [])
            if items:
                self._write({other: kept for other, kept in self._items.items() if other != name})
            return len(items)

    def _write(self, items: dict[str, list[str]]) -> None:
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(self._file, msgspec.json.encode(items))
        except OSError as error:
            raise ActionError(f"{self._file}: cannot be written ({error.strerror}).") from error
        self._items = items


def _read(file: Path) -> dict[str, list[str]]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, list[str]])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError) as error:
        logger.error("%s: the lists cannot be read (%s); it is kept as %s.damaged", file, error, file.name)
    try:
        file.replace(file.with_name(f"{file.name}.damaged"))
    except OSError as error:
        logger.error("%s: %s", file, error)
    return {}
