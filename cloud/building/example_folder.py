"""The example that a new domain begins with."""

import shutil
from pathlib import Path

from cloud.building.folder import BYTES_MAX
from common.errors import DomainError
from protos.name import NAME

EXAMPLE = Path(__file__).parent / "example"


def write_example(folder: Path) -> list[Path]:
    """The files that were written. DomainError, and nothing is, where there is a domain already or it cannot be."""
    if not NAME.fullmatch(folder.resolve().name):
        raise DomainError(f"{folder}: a domain's folder is named with 1 to 64 characters of A-Z a-z 0-9 . _ -")
    files = [folder / name for name in (*sorted(BYTES_MAX), "README.md")]
    try:
        there = [file for file in files if file.is_symlink() or file.exists()]
        if there:
            raise DomainError(f"{there[0]}: is there already, and stays as it is. Choose another folder.")
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            with file.open("xb") as into, (EXAMPLE / file.name).open("rb") as of:
                shutil.copyfileobj(of, into)
    except FileExistsError as error:
        raise DomainError(f"{error.filename}: is there already, and stays as it is. Choose another folder.") from error
    except OSError as error:
        raise DomainError(f"{error.filename}: cannot be written: {error.strerror}.") from error
    return files
