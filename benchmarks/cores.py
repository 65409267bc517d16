"""Small boards' processors, and what so many instructions are to them."""

from typing import NamedTuple


class Core(NamedTuple):
    """One core of a board. Instructions per cycle are assumed, not measured."""

    name: str
    instructions_per_cycle: float
    clock_ghz: float

    def seconds(self, instructions: int) -> float:
        """Time that so many instructions take."""
        return instructions / (self.instructions_per_cycle * self.clock_ghz * 1e9)

    def percent(self, instructions: int, length_s: float) -> float:
        """Share of the core that so many instructions in so long a time are."""
        return 100 * self.seconds(instructions) / length_s


CORES = (Core("A53", 0.7, 1.2), Core("A72", 1.3, 1.5), Core("A76", 2.2, 2.4))
"""Of a Raspberry Pi Zero 2 or 3, of a 4, of a 5; the smallest first."""

HEADING = ["M instructions a second", *(f"% of an {core.name}" for core in CORES)]


def cells(instructions: int, length_s: float) -> list[str]:
    """A row's figures, as HEADING names them."""
    return [f"{instructions / length_s / 1e6:.1f}", *(f"{core.percent(instructions, length_s):.2f}" for core in CORES)]


def assumptions() -> str:
    """What a share of a core rests on."""
    return ", ".join(f"{core.name} {core.instructions_per_cycle:g} at {core.clock_ghz:g} GHz" for core in CORES)
