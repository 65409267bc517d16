"""What is built of domains: there as long as a service may need it, and a day longer."""

from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from cloud.building.domain import version_of
from cloud.building.folder import find_folder
from cloud.building.unused import clean
from cloud.settings import CloudSettings
from common.errors import DomainError


def clean_built(
    settings: CloudSettings, bundles_open: Collection[str], candidates: Collection[str], now_unix_s: float
) -> None:
    """Erases bundles and indexes of what is neither open, nor a candidate that is tried, serves or may be gone back to
    (`candidates`: their folders), nor what the settings say."""
    storage = settings.storage
    needed = {Path(name).stem for name in bundles_open} | {Path(folder).parent.name for folder in candidates}
    needed.update(_own(settings))
    clean(storage.bundle_dir, {f"{one}.bundle" for one in needed}, now_unix_s)
    clean(storage.index_dir, {f"{one}.sqlite" for one in needed}, now_unix_s)


def _own(settings: CloudSettings) -> Iterator[str]:
    for entry in settings.domains.serve:
        # Being written at this moment, or gone: what is open of it is known.
        with suppress(DomainError):
            folder = find_folder(entry)
            yield f"{folder.name}-{version_of(folder)}"
