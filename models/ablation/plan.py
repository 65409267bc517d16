"""A plan: a recipe, made shorter, and what is different in each cell of the table, in one TOML file.

recipe = "../commands-v1.toml"
seeds = [1, 2, 3]
shortened.training.epochs = 10

[[cells]]
name = "without noise"
recipe.mixing.noise_share = 0
"""

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from common.errors import DataError
from models.training.recipe import Recipe, fault_of, read_recipe

BASE = "base"
"""The cell in which nothing is different."""

Values = dict[str, Any]
"""Some values of a recipe, by section and name."""


class Learnt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a cell learns from, where that is not simply the training part."""

    manifest: str | None = None
    """Its training part instead; from the folder of the data, as are those that are added."""
    add: tuple[str, ...] = ()
    """Manifests whose training parts, or clips of no part, are learnt from as well."""
    leave_out: dict[str, str] = {}
    """Clips with one of these values are not learnt from: ``source = "words"``."""
    speakers: Annotated[float, Meta(gt=0, le=1)] = 1.0
    """Share of them; each seed draws others, and who is of a smaller share is of a larger one, too."""


class Cell(NamedTuple):
    """A training with one thing different."""

    name: str
    recipe: Recipe
    learnt: Learnt
    same_steps: bool
    """However many clips there are, as many batches are learnt from as in the base: its recipe has no word on it."""


class Plan(NamedTuple):
    """What is trained, the base first, and how it is judged."""

    cells: tuple[Cell, ...]
    seeds: tuple[int, ...]
    snr_db: tuple[float, ...]
    """In noise as well, so far below the speech."""
    level_dbfs: tuple[float, ...]
    """At these levels as well."""

    @property
    def parts_of_speakers(self) -> list[str]:
        """Cells that differ from the base in how many of its speakers they learn from, and in nothing else."""
        base = self.cells[0]
        return [
            cell.name
            for cell in self.cells
            if cell.recipe == base.recipe and cell.learnt == Learnt(speakers=cell.learnt.speakers)
        ]


class _ToldCell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1)]
    recipe: Values = {}
    learnt: Learnt = Learnt()


class _Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As it is written."""

    recipe: str
    cells: Annotated[tuple[_ToldCell, ...], Meta(min_length=1)]
    seeds: Annotated[tuple[int, ...], Meta(min_length=1)] = (1, 2, 3)
    snr_db: tuple[float, ...] = ()
    level_dbfs: tuple[float, ...] = ()
    shortened: Values = {}


def read_plan(file: Path) -> Plan:
    """DataError, naming the file and what is wrong with it, if it is none."""
    try:
        told = msgspec.toml.decode(file.read_bytes(), type=_Told)
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: no plan of an ablation: {error}.") from error
    names = [BASE, *(cell.name for cell in told.cells)]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise DataError(f"{file}: two cells are called {twice}.")
    if len({*told.seeds}) < len(told.seeds):
        raise DataError(f"{file}: a seed is there twice.")
    base = _changed(read_recipe(file.parent / told.recipe), told.shortened, f"{file}: shortened")
    cells = [_base_cell(base)]
    for cell in told.cells:
        recipe = _changed(base, cell.recipe, f"{file}: {cell.name}")
        if (recipe.labels, recipe.other, recipe.window_frames) != (base.labels, base.other, base.window_frames):
            raise DataError(f"{file}: {cell.name}: has other labels or another window than the base to be judged by.")
        same_steps = not {"epochs", "batch"} & {*cell.recipe.get("training", ())}
        cells.append(Cell(cell.name, recipe, cell.learnt, same_steps))
    return Plan(tuple(cells), told.seeds, told.snr_db, told.level_dbfs)


def plan_of_curve(recipe: Recipe, shares: tuple[float, ...], seeds: tuple[int, ...]) -> Plan:
    """The base, and the same with these shares of the speakers."""
    cells = [Cell(f"{share:g} of the speakers", recipe, Learnt(speakers=share), True) for share in shares]
    return Plan((_base_cell(recipe), *cells), seeds, (), ())


def _base_cell(recipe: Recipe) -> Cell:
    """The one that others are compared with."""
    return Cell(BASE, recipe, Learnt(), True)


def _changed(recipe: Recipe, values: Values, where: str) -> Recipe:
    """With some values in the place of others. DataError, saying where, if that is no recipe."""
    told = _merged(msgspec.to_builtins(recipe), values)
    try:
        made = msgspec.convert(told, Recipe)
    except msgspec.ValidationError as error:
        raise DataError(f"{where}: {error}.") from error
    if (fault := fault_of(made)) is not None:
        raise DataError(f"{where}: {fault}.")
    return made


def _merged(told: Values, values: Values) -> Values:
    merged = dict(told)
    for name, value in values.items():
        section = told.get(name)
        # A table such as `weights` that the recipe does not have is there by default.
        merged[name] = _merged(section, value) if isinstance(section, dict) and isinstance(value, dict) else value
    return merged
