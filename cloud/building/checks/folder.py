"""Looks a domain's folder through: all that is wrong with it, and all that would make it better."""

from pathlib import Path
from typing import NamedTuple

from cloud.building.build import make_bundle
from cloud.building.bundle import Bundle
from cloud.building.catalogue import warn_of_entries
from cloud.building.checks.commands import find_unused
from cloud.building.checks.words import warn_of_alike, warn_of_guesses
from cloud.building.domain import Domain, read_domain
from cloud.building.fault import Faults
from cloud.building.folder import BYTES_MAX, CATALOGUE, COMMANDS
from cloud.building.near import did_you_mean
from cloud.pronouncing.pronouncer import Pronouncer
from common.errors import DomainError


class Checked(NamedTuple):
    """A folder that was looked through."""

    domain: Domain | None
    """None: not enough of it is there."""
    bundle: Bundle | None
    """None: it cannot be built."""
    faults: Faults


def check_domain(folder: Path) -> Checked:
    """Everything that can be told of the domain in a folder."""
    faults = Faults()
    domain = read_domain(folder, faults)
    _warn_of_other_files(folder, faults)
    bundle = None
    if domain is not None:
        warn_of_entries(domain.entries, domain.entry_lines, folder / CATALOGUE, faults)
        if not faults.faults:
            bundle = _build(domain, faults)
    return Checked(domain, bundle, faults)


def _build(domain: Domain, faults: Faults) -> Bundle | None:
    try:
        bundle = make_bundle(domain, faults)
    except DomainError as error:
        faults.take(error, domain.folder / COMMANDS)
        return None
    if domain.commands is not None:
        find_unused(domain.commands, domain.folder / COMMANDS, faults)
    pronouncer = Pronouncer(domain.lexicon)
    warn_of_guesses(domain, bundle.network.words(), pronouncer, faults)
    warn_of_alike(domain, pronouncer, faults)
    return None if faults.faults else bundle


def _warn_of_other_files(folder: Path, faults: Faults) -> None:
    try:
        others = sorted(path.name for path in folder.iterdir() if path.name not in BYTES_MAX)
    except OSError:
        return
    for name in others:
        # An editor's, a version control's; a person's notes.
        if name.startswith((".", "README", "LICENSE")) or name.endswith("~"):
            continue
        hint = did_you_mean(name, BYTES_MAX, "A domain's files are")
        faults.warn(folder / name, None, f"is not read. {hint}")
