"""Domains, built for engines that are measured without a service."""

from cloud.building.build import build_bundle
from cloud.building.domain import load_domain
from cloud.settings import CloudSettings


def bundle(name_or_folder: str) -> str:
    """File of a domain's bundle, built where the service keeps its own."""
    return str(build_bundle(load_domain(name_or_folder), CloudSettings().storage.bundle_dir).resolve())
