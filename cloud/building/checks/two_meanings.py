"""Faults of a domain whose blocks share a sentence."""

from pathlib import Path

from cloud.building.checks.shared_sentences import shared_sentences
from cloud.building.commands import Commands, blocks_of
from cloud.building.commands_text import BlockText, CommandsText
from cloud.building.fault import Faults, quoted


def tell_shared(text: CommandsText, commands: Commands, file: Path, faults: Faults) -> None:
    """A fault for two blocks that have a sentence both and mean different things by it."""
    blocks = blocks_of(text)

    def differ(one: int, other: int) -> bool:
        return _outcome(*blocks[one]) != _outcome(*blocks[other])

    shared = shared_sentences(commands.network, commands.blocks, differ)
    for one, other, words in shared.found:
        (intent, block), (other_intent, other_block) = blocks[one], blocks[other]
        who = f"{intent} and {other_intent}" if intent != other_intent else f"two blocks of {intent}"
        told = f"{quoted(' '.join(words))} is a sentence of {who} (line {block.line('sentences')}), so nobody can tell "
        told += "which is meant. Change one of them, or tell them apart by requires and forbids."
        faults.fault(file, other_block.line("sentences"), told)
    if not shared.is_all:
        faults.warn(
            file, None, "not all blocks could be compared with each other: there are too many ways to say them."
        )


def _outcome(intent: str, block: BlockText) -> tuple[object, ...]:
    slots = sorted((str(slot), str(value)) for slot, value in block.slots.items())
    return intent, slots, block.action, block.response
