"""A domain's folder as it was when it became a candidate: what is tried, promoted and gone back to is never edited."""

import shutil
import tempfile
from pathlib import Path

from cloud.building.domain import Domain, version_of
from cloud.building.folder import CATALOGUE, COMMANDS, LEXICON, read_file
from cloud.building.unused import is_there
from common.errors import DomainError
from common.private_files import sync_directory


def copied(domain: Domain, directory: Path) -> Path:
    """The copy's folder, which has the domain's name; made if need be, in whole. DomainError where it cannot be, or the
    folder was changed meanwhile."""
    target = directory / f"{domain.name}-{domain.version}" / domain.name
    try:
        if is_there(target.parent) and _is_copy(target, domain.version):
            return target
        directory.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".", dir=directory))
        try:
            # The service may be another user.
            aside.chmod(0o755)
            folder = aside / domain.name
            folder.mkdir()
            for name in (CATALOGUE, COMMANDS, LEXICON):
                if (content := read_file(domain.folder, name)) is not None:
                    (folder / name).write_bytes(content)
            if version_of(folder) != domain.version:
                raise DomainError(f"{domain.folder}: was changed while it was copied; try again.")
            shutil.rmtree(target.parent, ignore_errors=True)
            aside.rename(target.parent)
            sync_directory(directory)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise DomainError(f"{target}: the candidate cannot be copied: {error.strerror}.") from error
    return target


def _is_copy(folder: Path, version: str) -> bool:
    try:
        return version_of(folder) == version
    except DomainError:
        return False
