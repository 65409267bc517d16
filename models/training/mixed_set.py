"""A data set again, as it might have been on another day: each clip mixed by a recipe's draw, with what was drawn."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from common.errors import DataError, InputError
from models.data.clip import Clip
from models.data.manifest import moved, read_manifest, write_manifest
from models.data.mixing import RATE_HZ
from models.data.sound_file import write_sound
from models.finding import Finding, Severity
from models.training.examples import Backgrounds, read, version
from models.training.recipe import Mixing

SUFFIX = ".flac"


def mix_set(
    manifest: Path, new: Path, how: Mixing, backgrounds: Backgrounds, versions: int, seed: int
) -> tuple[int, list[Finding]]:
    """Writes a manifest of `versions` of each clip beside their sound; how many, and what could not be read."""
    if new.exists():
        raise DataError(f"{new}: is there already; a manifest is never changed, only written anew.")
    folder = new.parent / new.stem
    told = read_manifest(manifest)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder}: cannot be made: {error.strerror}.") from error
    findings = list(told.findings)

    def mixed() -> Iterator[Clip]:
        there = moved((entry.clip for entry in told.entries), manifest.parent, new.parent)
        for (line, clip), origin in zip(told.entries, there, strict=True):
            try:
                sound = read(clip, manifest.parent)
            except InputError as error:
                findings.append(
                    Finding(kind="mix", severity=Severity.ERROR, line=line, path=clip.path, sentence=str(error))
                )
                continue
            stretch = f"{clip.start_ms}" + ("" if clip.end_ms is None else f" {clip.end_ms}")
            name = hashlib.blake2b(f"{clip.path} {stretch}".encode(), digest_size=8)
            draw = np.random.default_rng((seed, int.from_bytes(name.digest())))
            for number in range(versions):
                made = version(sound, how, backgrounds, draw)
                file = folder / f"{name.hexdigest()}-{number}{SUFFIX}"
                write_sound(file, made.sound, RATE_HZ)
                yield msgspec.structs.replace(
                    origin,
                    path=f"{folder.name}/{file.name}",
                    made_from=origin.path,
                    start_ms=None,
                    end_ms=None,
                    measured=clip.measured | made.measured,
                )

    return write_manifest(new, mixed()), findings
