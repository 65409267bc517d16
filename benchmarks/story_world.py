"""What the story is told with: how much of everything, where it lies, and the files that a service would have."""

import datetime
import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks import story_sounds
from benchmarks.drift_sounds import Condition, Half
from benchmarks.story_sounds import DISHES, OTHER, QUIET, SILENCE, Board, Group, Recording, Said, Utterance
from models.data.clip import Clip
from models.data.manifest import write_manifest
from models.data.split import Plan, Shares, split

BOARD = "kitchen-2"
OTHERS = ("hall-1", "hall-2", "hall-3", "hall-4", "hall-5", "hall-6", "kitchen-1", "kitchen-2", "kitchen-3")
"""The fleet: a dishwasher stands in each kitchen, none in a hall."""
BEGAN = datetime.datetime(2026, 11, 2, 7, 0, tzinfo=datetime.UTC)
A_DAY, APART = 18, datetime.timedelta(minutes=45)
"""Utterances of the board: so many that it learns what is usual, two weeks, before the dishwasher comes."""

RECIPE = """
name = "kitchen"
version = "{version}"
labels = ["yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go", "unknown", "silence"]
other = "unknown"
threshold = {threshold}
licence = "CC BY 4.0 (Speech Commands, Warden 2018)"
limits = "One English word at a time; made in minutes, to tell a story."
mixing = {{ versions = {versions}, seed = 1 }}
network = {{ stem = {stem}, channels = {channels}, blocks = {blocks} }}
training = {{ epochs = {epochs}, batch = 32, weights = {{ unknown = 2.0 }} }}

[commands]
{commands}
"""
THRESHOLD = 0.3
"""By what the household says before the dishwasher comes: at 0.5 a model that learnt for minutes misses half of it."""
COMMAND = '{name} = {{ text = "{name}" }}'


_known: dict[str, dict[str, Said]] = {}


class Sizes(NamedTuple):
    """How much of everything; the short form of a test has less."""

    before: int = 300
    """Utterances of the board before the dishwasher."""
    after: int = 500
    judged: int = 400
    """Recordings that the candidate is judged by, in the kitchen and in the hall."""
    dev: int = 448
    first_labels: int = 100
    labels: int = 320
    base: int = 10_000
    """Clips that the first model learns from, at most."""
    versions: int = 2
    stem: int = 16
    channels: int = 48
    blocks: int = 4
    epochs: int = 24
    utterances_max: int = 15_000
    """Of the fleet, that a gate may see."""


class World(NamedTuple):
    """Folders of data and of work, and how much of everything."""

    data: Path
    work: Path
    sizes: Sizes

    @property
    def heard(self) -> Path:
        return self.work / "heard"

    @property
    def sound(self) -> Path:
        """What the board keeps of what it heard."""
        return self.heard / "sound"

    @property
    def base(self) -> Path:
        return self.work / "base.jsonl"

    @property
    def shipped(self) -> Path:
        """The first model's folder."""
        return self.work / "models" / "kitchen-1"

    @property
    def retrained(self) -> Path:
        """Folder of the retraining."""
        return self.work / "retraining"

    @property
    def promoted(self) -> Path:
        """What came of it."""
        return self.work / "models" / "kitchen-2"

    @property
    def service(self) -> Path:
        """State of the service."""
        return self.work / "service"

    @property
    def settings(self) -> Path:
        """The service's, written where they are not yet."""
        file = self.work / "cloud.toml"
        file.write_text(f'[storage]\nstate_dir = "{self.service.resolve()}"\n', encoding="utf-8")
        return file

    @property
    def plots(self) -> Path:
        return self.work / "plots"

    def recipe(self, version: str) -> Path:
        """Written, where it is not yet."""
        file = self.work / f"recipe-{version}.toml"
        commands = "\n".join(COMMAND.format(name=name) for name in story_sounds.COMMANDS)
        text = RECIPE.format(version=version, commands=commands, threshold=THRESHOLD, **self.sizes._asdict())
        self.work.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_text() != text:
            file.write_text(text, encoding="utf-8")
        return file


class Heard(NamedTuple):
    """All that boards hear in the story."""

    before: list[Utterance]
    """In the kitchen, by the household."""
    after: list[Utterance]
    """With the dishwasher."""
    judged: dict[str, list[Utterance]]
    """By others, in a hall and in a kitchen with a dishwasher."""
    dev: dict[str, list[Utterance]]
    """The same by those who are looked at once."""


def heard(world: World, tell: Callable[[str], None]) -> Heard:
    """From the folder, as far as it is there."""
    said = story_sounds.recordings(world.data)
    sizes = world.sizes

    def some(name: str, group: Group, count: int, condition: Condition, start: int = 0) -> list[Utterance]:
        half: Half = "tuning" if group == "household" else "test"
        chosen: list[Recording] = said[group][start : start + count]
        return story_sounds.kept(world.heard, name, chosen, world.data, condition, half, tell)

    return Heard(
        some("before", "household", sizes.before, QUIET),
        some("after", "household", sizes.after, DISHES, start=sizes.before),
        {
            "hall": some("judged-hall", "judges", sizes.judged, QUIET),
            "kitchen": some("judged-kitchen", "judges", sizes.judged, DISHES),
        },
        {"quiet": some("dev-quiet", "dev", sizes.dev, QUIET), "dishes": some("dev-dishes", "dev", sizes.dev, DISHES)},
    )


def write_base(world: World) -> int:
    """The set of the first model, by speaker in train, tune and test; how many clips."""
    said = story_sounds.recordings(world.data)["base"][: world.sizes.base]
    way = world.data.resolve()
    clips = [
        Clip(
            path=str(way / one.path),
            text=None if one.label == SILENCE else one.word,
            label=one.label,
            speaker=None if one.speaker == "_noise_" else one.speaker,
            source="commands",
        )
        for one in said
    ]
    return write_manifest(world.base, split(clips, Plan(Shares(tune=0.1, test=0.15), "story")))


def at_unix_us(number: int) -> int:
    """When the board heard its utterance of that number."""
    day, nth = divmod(number, A_DAY)
    spoken = BEGAN + datetime.timedelta(days=day) + nth * APART
    return int(spoken.timestamp() * 1e6)


def write_log(file: Path, some: Sequence[Utterance], said: Mapping[str, Said]) -> None:
    """As `parrotlet-cloud log export` writes it: what the board answered."""
    lines = [
        {"device_id": BOARD, "utterance_id": one.id, "transcript": said[one.id].label or ""}
        for one in some
        if one.end is not None
    ]
    _write(file, lines)


def write_labels(file: Path, labels: Sequence[tuple[Utterance, str, str]]) -> None:
    """Of utterances: text and transcriber. Who speaks is not known to them."""
    lines = [
        {
            "device_id": BOARD,
            "utterance_id": one.id,
            "text": text,
            "label": one.label if one.truth else OTHER,
            "transcriber": who,
        }
        for one, text, who in labels
    ]
    _write(file, lines)


def chosen(some: Sequence[Utterance], count: int) -> list[Utterance]:
    """So many, all alike, by a hash of their names."""
    drawn = sorted(some, key=lambda one: hashlib.md5(f"label {one.id}".encode()).hexdigest())[:count]
    return sorted(drawn, key=lambda one: one.id)


def says(world: World, model: Path, some: Sequence[Utterance]) -> dict[str, Said]:
    """What a board with this model makes of each; in one run it is asked once."""
    board = Board(model)
    known = _known.setdefault(f"{world.heard} {board.card.model_sha256}", {})
    new = [one for one in some if one.id not in known]
    known.update(zip((one.id for one in new), board.says(world.heard, new), strict=True))
    return {one.id: known[one.id] for one in some}


def _write(file: Path, lines: Sequence[Mapping[str, str]]) -> None:
    file.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
