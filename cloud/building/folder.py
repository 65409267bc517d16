"""A domain's folder: where it is, which files it has, and their bytes, whatever lies there instead of them."""

import difflib
import os
import re
import stat
from pathlib import Path

from common.errors import DomainError
from protos.name import NAME

SHIPPED = Path(__file__).parent.parent / "domains"
"""Holds the domains that come with the service, a folder each."""

CATALOGUE, COMMANDS, LEXICON = "catalogue.jsonl", "commands.yaml", "lexicon.txt"

BYTES_MAX = {CATALOGUE: 128 << 20, COMMANDS: 16 << 20, LEXICON: 8 << 20}
"""The files of a domain, and how large each may be."""

_UNSEEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f\u2028\u2029\ufffe\uffff]")
"""Characters that are no text; some of them end lines for one program and not for another."""


def shipped_domains() -> list[str]:
    """Names of the domains that come with the service."""
    return sorted(path.parent.name for path in SHIPPED.glob(f"*/{CATALOGUE}"))


def find_folder(name_or_folder: str) -> Path:
    """Folder of a shipped domain or the path itself; DomainError where neither is there."""
    shipped = shipped_domains()
    if name_or_folder in shipped:
        return SHIPPED / name_or_folder
    try:
        folder = Path(name_or_folder).expanduser()
        there, is_folder = folder.exists() and bool(name_or_folder), folder.is_dir()
    except (OSError, RuntimeError, ValueError):
        # A name that is too long, or another's home that is not there.
        there = is_folder = False
    if there and is_folder:
        resolved = folder.resolve()
        if not NAME.fullmatch(resolved.name):
            raise DomainError(f"{resolved}: a domain's folder is named with 1 to 64 characters of A-Z a-z 0-9 . _ -")
        return resolved
    if there:
        raise DomainError(f"{folder}: is a file, but a domain is a folder with a {CATALOGUE}.")
    near = difflib.get_close_matches(name_or_folder[:100], shipped, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"Shipped domains: {', '.join(shipped)}."
    raise DomainError(f"{name_or_folder[:200] or '(empty)'}: neither a shipped domain nor a folder. {hint}")


def read_file(folder: Path, name: str) -> bytes | None:
    """Bytes of one of the folder's files; None where it has none. DomainError if it is no file of it, is too large or
    cannot be read."""
    path = folder / name
    try:
        if not path.is_symlink() and not path.exists():
            return None
        real = path.resolve(strict=True)
        if not real.is_relative_to(folder.resolve()):
            raise DomainError(f"{path}: leads out of the folder. Put the file itself there.")
        # Before it is opened: a pipe would wait, a device might do something.
        _must_be_file(path, real.stat(), BYTES_MAX[name])
        with os.fdopen(os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            _must_be_file(path, os.fstat(file.fileno()), BYTES_MAX[name])
            raw = file.read(BYTES_MAX[name] + 1)
    except RuntimeError as error:
        raise DomainError(f"{path}: leads back to itself. Put the file itself there.") from error
    except OSError as error:
        raise DomainError(f"{path}: cannot be read: {error.strerror}.") from error
    if len(raw) > BYTES_MAX[name]:
        raise DomainError(_too_large(path, len(raw), BYTES_MAX[name]))
    return raw


def as_text(path: Path, raw: bytes) -> str:
    """Text of a file that is read by lines. DomainError, with the line, if it is none."""
    try:
        text = raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DomainError(f"{path}:{line}: not UTF-8 text. Save the file in that encoding.") from error
    if unseen := _UNSEEN.search(text):
        line = text.count("\n", 0, unseen.start()) + 1
        code = f"U+{ord(unseen.group()):04X}"
        raise DomainError(f"{path}:{line}: has the character {code}, which cannot be seen. Take it out.")
    return text


def is_seen(text: str, *, lines: bool = False) -> bool:
    """Whether a text has only characters that can be seen; `lines`: it may have several lines."""
    return _UNSEEN.search(text) is None and (lines or not re.search(r"[\t\n\r]", text))


def _must_be_file(path: Path, status: os.stat_result, bytes_max: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise DomainError(f"{path}: is no file, but a folder, a pipe or a device.")
    if status.st_size > bytes_max:
        raise DomainError(_too_large(path, status.st_size, bytes_max))


def _too_large(path: Path, size: int, bytes_max: int) -> str:
    return f"{path}: has {size / 2**20:.0f} MiB, but {bytes_max >> 20} MiB is the most."
