"""Builds a domain in a process of its own: `python -m cloud.building NAME|DIR BUNDLES INDEXES`.

What is wrong is told on standard error, and ends with status 2.
"""

import sys
from pathlib import Path

from cloud.building.build import build_bundle
from cloud.building.domain import load_domain
from cloud.finding.index import build
from common.errors import ParrotletError


def main() -> None:
    name_or_folder, bundle_dir, index_dir = sys.argv[1:]
    try:
        domain = load_domain(name_or_folder)
        build_bundle(domain, Path(bundle_dir))
        build(domain, Path(index_dir))
    except ParrotletError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
