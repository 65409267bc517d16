"""Whether a domain understands the sentences that it shows as examples."""

from pathlib import Path

from cloud.building.commands import Commands
from cloud.building.commands_text import CommandsText
from cloud.building.fault import Faults, quoted
from cloud.understanding.network import Following
from cloud.understanding.parse import parse
from cloud.understanding.written import spoken_words


def tell_strange(text: CommandsText, commands: Commands, file: Path, faults: Faults) -> None:
    """Faults for examples that are no sentence of the domain."""
    following = Following(commands.network)
    for example in text.examples:
        if not parse(following, [word.lower() for word in spoken_words(example)]):
            faults.fault(file, getattr(example, "line", None), f"the example {quoted(example)} is not understood.")
