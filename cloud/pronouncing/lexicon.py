"""A domain's own lexicon.txt: how its owner's words are said.

# A word and its phones, as in CMUdict; again for another way to say it.
macchiato   M AA K IY AA T OW
# Or a word and how it would be spelt if English were spelt as it sounds.
ouagadougou = wah gah doo goo
"""

import difflib
import re
from collections.abc import Iterator
from pathlib import Path

from cloud.pronouncing.phones import NAMES, NUMBERS, SILENCE, Phones, numbers
from cloud.pronouncing.respelling import respelt
from common.errors import DomainError

LEXICON = "lexicon.txt"
LINES_MAX = 100_000
FAULTS_SHOWN_MAX = 20
LETTERS_MAX = 300
"""Of a line."""
PHONES_MAX = 60

Lexicon = dict[str, tuple[Phones, ...]]
"""Words in small letters, and the ways to say each in the order of their lines."""

_WORD = re.compile(r"[^\W_](?:[\w'.&+-]*[\w'.])?|'[\w'.-]+")
_STRESS = re.compile(r"[012]$")


def read_lexicon(folder: Path) -> Lexicon:
    """What the folder's lexicon.txt says; empty where it has none. DomainError, a sentence a fault, each with
    FILE:LINE."""
    file = folder / LEXICON
    try:
        text = file.read_bytes().removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        raise DomainError(f"{file}: not UTF-8 text.") from error
    except OSError as error:
        raise DomainError(f"{file}: cannot be read: {error.strerror}.") from error
    return parse(text, str(file))


def parse(text: str, file: str = LEXICON) -> Lexicon:
    """The same of the text of such a file; `file` is how faults call it."""
    faults: list[str] = []
    found: dict[str, dict[Phones, int]] = {}
    lines = text.splitlines()
    if len(lines) > LINES_MAX:
        raise DomainError(f"{file}: has {len(lines)} lines, but {LINES_MAX} are the most.")
    for number, word, phones in _said(lines, file, faults):
        ways = found.setdefault(word, {})
        if phones in ways:
            faults.append(f"{file}:{number}: says {word} as line {ways[phones]} does already.")
        ways.setdefault(phones, number)
    if faults:
        more = [f"... and {len(faults) - FAULTS_SHOWN_MAX} more."] if len(faults) > FAULTS_SHOWN_MAX else []
        raise DomainError("\n".join(faults[:FAULTS_SHOWN_MAX] + more))
    return {word: tuple(ways) for word, ways in found.items()}


def _said(lines: list[str], file: str, faults: list[str]) -> Iterator[tuple[int, str, Phones]]:
    spelt: list[tuple[int, str, str]] = []
    for number, line in enumerate(lines, 1):
        written, _, _ = line.partition("#")
        if not written.strip():
            continue
        if len(written) > LETTERS_MAX:
            faults.append(f"{file}:{number}: has {len(written):,} letters, but {LETTERS_MAX} are the most.")
            continue
        try:
            if "=" in written:
                word, _, spelling = written.partition("=")
                spelt.append((number, _word(word), spelling.strip()))
                if not spelling.strip():
                    raise DomainError('nothing stands behind "=": write how the word sounds, as in wah gah doo goo.')
            else:
                word, *phones = written.split()
                yield number, _word(word), _phones(phones)
        except DomainError as error:
            faults.append(f"{file}:{number}: {error}")
    said = respelt(spelling for _, _, spelling in spelt if spelling)
    for number, word, spelling in spelt:
        if spelling in said:
            yield number, word, said[spelling]
        elif spelling:
            faults.append(f'{file}:{number}: "{spelling}" cannot be said: write it in plain English letters.')


def _word(written: str) -> str:
    """DomainError without the place where it is none."""
    word = written.strip().casefold()
    if not word:
        raise DomainError('no word stands before "=".')
    if len(word.split()) > 1:
        raise DomainError(f'"{word}" is more than one word: give each a line of its own.')
    if not _WORD.fullmatch(word):
        raise DomainError(f'"{word}" is no word: letters, digits, apostrophes, dots and hyphens make one.')
    return word


def _phones(written: list[str]) -> Phones:
    """DomainError without the place where one is none."""
    names = [_STRESS.sub("", phone.upper()) for phone in written]
    if not names:
        raise DomainError(
            'has no phones: write them as in "coffee K AA F IY", or respell it as in "coffee = cough ee".'
        )
    if len(names) > PHONES_MAX:
        raise DomainError(f"has {len(names)} phones, but {PHONES_MAX} are the most.")
    for name, phone in zip(names, written, strict=True):
        if NUMBERS.get(name, SILENCE) == SILENCE:
            raise DomainError(f"there is no phone {phone}. {_hint(name)}")
    return numbers(names)


def _hint(name: str) -> str:
    spoken = [phone for phone in NAMES if phone != NAMES[SILENCE]]
    near = difflib.get_close_matches(name, spoken, n=1, cutoff=0.4)
    meant = f"Did you mean {near[0]}?" if near else f"The phones are {' '.join(spoken)}."
    return f'{meant} To spell it in plain letters, put "=" behind the word.'
