"""Models for boards as they lie at the service: NAME/VERSION, copied when they are offered, and never changed."""

import shutil
import tempfile
from pathlib import Path

from common.errors import RolloutError
from common.private_files import sync_directory
from protos.feature_spec import ACCEPTED_SPECS
from protos.model_card import ModelCardError
from protos.model_package import ModelPackage, read_package


def read(folder: Path) -> ModelPackage:
    """What an owner wants to offer. RolloutError, a sentence, if it is none, or no board has its features."""
    try:
        package = read_package(folder)
    except ModelCardError as error:
        raise RolloutError(f"{str(error).rstrip('.')}.") from error
    if (fingerprint := package.card.feature_spec_fingerprint) not in ACCEPTED_SPECS:
        raise RolloutError(f"{folder}: it was trained on features that no board sends ({fingerprint}).")
    return package


def keep(package: ModelPackage, directory: Path) -> str:
    """Copies it, in whole, to where it stays; its folder's name within the directory. RolloutError if another model is
    there under the same name and version."""
    name, version = package.card.name, package.card.version
    target = directory / name / version
    try:
        if target.exists():
            if kept(directory, f"{name}/{version}").sha256 != package.sha256:
                raise RolloutError(
                    f"{target}: another model was offered as {name} {version}. What a version is, it stays: give this "
                    "one another version in its card."
                )
            return f"{name}/{version}"
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".", dir=directory))
        try:
            # The service may be another user.
            aside.chmod(0o755)
            package.write(aside)
            aside.rename(target)
            sync_directory(target.parent)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise RolloutError(f"{target}: the model cannot be copied: {error.strerror}; try sudo.") from error
    return f"{name}/{version}"


def kept(directory: Path, folder: str) -> ModelPackage:
    """RolloutError if it cannot be read any more."""
    return read(directory / folder)
