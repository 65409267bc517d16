"""A folder as Common Voice has it: clips/, and train.tsv, dev.tsv, test.tsv with client_id, path and sentence.

A client is a speaker. Votes are kept as figures; age, gender and accent as slices.
"""

from collections.abc import Iterator
from pathlib import Path

from common.errors import DataError
from models.importing.table import Wanted, columns_of, read_table
from models.importing.told import Fault, Told

PARTS = ("train", "dev", "test")
CLIPS = "clips"

COLUMNS = {"path": "path", "text": "sentence", "speaker": "client_id"}
VOTES = ("up_votes", "down_votes")
SLICES = ("age", "gender", "accent", "accents", "locale", "variant")


def read_common_voice(source: Path) -> Iterator[Told | Fault]:
    """The rows of those of its three tables that are there. DataError if none is, or one lacks what it should have."""
    files = [file for part in PARTS if (file := source / f"{part}.tsv").is_file()]
    if not files:
        raise DataError(f"{source}: has no {', '.join(f'{part}.tsv' for part in PARTS)}.")
    for file in files:
        names = {name.lower() for name in columns_of(file, Wanted(COLUMNS)).names}
        slices, votes = ([name for name in known if name in names] for known in (SLICES, VOTES))
        wanted = Wanted(COLUMNS, slices=slices, measured=votes)
        for one in read_table(file, wanted, columns_of(file, wanted)):
            yield one._replace(values={**one.values, "split": file.stem}) if isinstance(one, Told) else one
