"""Tables with a header: TSV, or CSV with its quotes. Columns are known by their usual names, or told.

`source_and_licence` is read as "SOURCE, LICENCE", or as a licence where it has no comma; "synthetic" in it counts. A
column `set` is the source where nothing else is.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from common.errors import DataError
from models.importing.told import NOT_TEXT, Fault, Place, Told, is_text, lines

NAMES: dict[str, tuple[str, ...]] = {
    "path": ("path", "file", "filename", "file_name", "audio", "audio_path", "audio_filepath", "wav", "clip"),
    "text": ("text", "sentence", "transcript", "transcription"),
    "label": ("label", "class", "category", "keyword"),
    "speaker": ("speaker", "speaker_id", "client_id", "spk_id"),
    "source": ("source", "corpus", "collection"),
    "split": ("split", "subset", "partition"),
    "transcriber": ("transcriber", "annotator"),
    "licence": ("licence", "license"),
    "synthetic": ("synthetic",),
    "start_ms": ("start_ms",),
    "end_ms": ("end_ms",),
}
"""Of a clip's fields: how their columns are called, the first that is there."""

BOTH = "source_and_licence"
SET = "set"
FIELD_CHARACTERS_MAX = 1 << 20


class Columns(NamedTuple):
    """Where in a row is what."""

    names: tuple[str, ...]
    fields: dict[str, int]
    """By a clip's field."""
    both: int | None
    """Of source_and_licence."""
    set: int | None
    slices: dict[str, int]
    measured: dict[str, int]

    @property
    def unused(self) -> list[str]:
        used = {*self.fields.values(), *self.slices.values(), *self.measured.values(), self.both, self.set}
        return [name for number, name in enumerate(self.names) if number not in used]


class Wanted(NamedTuple):
    """What a person says of a table."""

    columns: Mapping[str, str] = {}
    """By a clip's field: its column, or "" for none."""
    where: Mapping[str, str] = {}
    """Only rows with these values."""
    slices: Sequence[str] = ()
    measured: Sequence[str] = ()
    label_from_folder: bool = False


def columns_of(file: Path, wanted: Wanted) -> Columns:
    """By the table's header. DataError if there is no column of paths, or one that is wanted is missing."""
    names = tuple(name.strip() for name in next(_rows(file))[1])
    numbers = {name.lower(): number for number, name in reversed([*enumerate(names)])}

    def number(name: str) -> int:
        if (found := numbers.get(name.lower())) is None:
            raise DataError(f"{file}: has no column {name}; it has {', '.join(names)}.")
        return found

    fields = {
        field: next(numbers[name] for name in known if name in numbers)
        for field, known in NAMES.items()
        if field not in wanted.columns and any(name in numbers for name in known)
    }
    fields |= {field: number(name) for field, name in wanted.columns.items() if name}
    if "path" not in fields:
        raise DataError(f"{file}: none of its columns ({', '.join(names)}) is known to name files: --column path=NAME.")
    for name in wanted.where:
        number(name)
    slices, measured = ({name: number(name) for name in given} for given in (wanted.slices, wanted.measured))
    return Columns(names, fields, numbers.get(BOTH), numbers.get(SET), slices, measured)


def read_table(file: Path, wanted: Wanted, columns: Columns) -> Iterator[Told | Fault]:
    """Its rows."""
    where = [(columns.names.index(_named(columns, name)), value) for name, value in wanted.where.items()]
    rows = _rows(file)
    next(rows)
    for line, row in rows:
        place = Place(file, line)
        if len(row) != len(columns.names):
            fault = f"has {_fields(len(row))}, and the header {len(columns.names)}"
            yield Fault(place, fault if _are_text(row) else NOT_TEXT)
            continue
        if not all(row[number] == value for number, value in where):
            continue
        if not _are_text(row):
            yield Fault(place, NOT_TEXT)
            continue
        values = {field: row[number] for field, number in columns.fields.items()}
        values = _named_together(row, columns) | values
        path = values.pop("path").strip()
        if wanted.label_from_folder:
            values["label"] = Path(path).parent.name
        measured = {name: row[number] for name, number in columns.measured.items()}
        yield Told(place, path, values, measured, {name: row[number] for name, number in columns.slices.items()})


def _rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    """With the numbers of their last lines; the header first. DataError if there is none."""
    numbered = lines(file)
    first = next((line for _, line in numbered), "")
    if not first.strip():
        raise DataError(f"{file}: is empty; its first line should name the columns.")
    numbered = lines(file)
    if "\t" in first:
        yield from ((number, line.split("\t")) for number, line in numbered if line)
        return
    csv.field_size_limit(FIELD_CHARACTERS_MAX)
    reader = csv.reader((f"{line}\n" for _, line in numbered), delimiter="," if "," in first else ";")
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            row = []
        if row or reader.line_num == 1:
            yield reader.line_num, row


def _named(columns: Columns, name: str) -> str:
    return next(known for known in columns.names if known.lower() == name.lower())


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count} fields"


def _are_text(row: Iterable[str]) -> bool:
    return is_text("".join(row))


def _named_together(row: list[str], columns: Columns) -> dict[str, str]:
    """What the row says in columns that are nobody's own."""
    values = {} if columns.set is None else {"source": row[columns.set]}
    if columns.both is not None:
        source, comma, licence = row[columns.both].partition(",")
        values |= {"source": source, "licence": licence} if comma else {"licence": source}
        if "synthetic" in row[columns.both].lower():
            values["synthetic"] = "yes"
    return values
