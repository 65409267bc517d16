"""How a candidate does beside the model that answers, by utterances that the cloud answered too. Pure.

Only utterances tell that one of the two agrees with the cloud on, and the other does not. Were the candidate no worse,
each of these would be the toss of a coin at the most; how much less likely that is than a coin that favours the other,
whatever its bias (drawn evenly), is a number that may be looked at after every utterance: it passes E_MAX with a chance
of 1 in E_MAX at the most (Ville's inequality; Shafer 2021, "Testing by betting"). A promotion is looked at twice only:
benchmarks/board_trials.py tells what comes of it.
"""

import math
import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from protos.model_card import Command, ModelCard

E_MAX = 20.0

LOOKS: tuple[int, ...] = (200, 400)
"""Utterances after which it may be promoted. After the last, what has not been no worse by then is sent back."""
COMMANDS_MIN = 20
"""Of these, so many must have been commands: on talk that is none, any model agrees that hears nothing."""

Decision = Literal["promote", "refuse", "wait"]

_NO_WORD = re.compile(r"[^\w']+")


class Said(msgspec.Struct, frozen=True):
    """What the cloud answered, as far as it counts here."""

    transcript: str
    first_id: str | None
    """Of the entry that was found first."""

    def means(self, command: Command) -> bool:
        """Whether that command was said."""
        return (command.id is not None and command.id == self.first_id) or plain(command.text) == plain(self.transcript)


class Trial(msgspec.Struct, frozen=True):
    """What was counted."""

    utterances: int = 0
    commands: int = 0
    agreed: int = 0
    """Of the candidate with the cloud."""
    agreed_before: int = 0
    """Of the model that answers."""
    wins: int = 0
    """The candidate agreed, and the other did not."""
    losses: int = 0

    def after(self, *, is_command: bool, agrees: bool, agreed_before: bool) -> "Trial":
        """One utterance more."""
        return Trial(
            self.utterances + 1,
            self.commands + is_command,
            self.agreed + agrees,
            self.agreed_before + agreed_before,
            self.wins + (agrees and not agreed_before),
            self.losses + (agreed_before and not agrees),
        )

    @property
    def evidence(self) -> float:
        """That the candidate is worse; from 0, passes E_MAX for one that is not with a chance of 1 in E_MAX at most."""
        tosses = self.wins + self.losses
        # 2^n times the integral of 2 p^losses (1 - p)^wins for p from a half to 1: a beta integral, as a binomial sum.
        at_most = sum(math.comb(tosses + 1, count) for count in range(self.losses + 1))
        return at_most / ((tosses + 1) * math.comb(tosses, self.wins))

    @property
    def decision(self) -> Decision:
        """What is to be done; asked after each utterance."""
        if self.evidence >= E_MAX:
            return "refuse"
        if self.utterances not in LOOKS and self.utterances < LOOKS[-1]:
            return "wait"
        if self.commands < COMMANDS_MIN:
            return "wait"
        if self.losses <= self.wins:
            return "promote"
        return "refuse" if self.utterances >= LOOKS[-1] else "wait"

    def __str__(self) -> str:
        return (
            f"{self.utterances} utterances, {self.commands} of them commands: it agreed with the cloud on "
            f"{self.agreed}, the model before on {self.agreed_before} ({self.wins} better, {self.losses} worse)"
        )


def agrees(label: str | None, card: ModelCard, said: Said, commands: Sequence[Command]) -> bool:
    """Whether a model hears what the cloud heard. `commands`: those of both models, for nothing was to be heard only
    where none of these was said."""
    if label is None:
        return not any(said.means(command) for command in commands)
    return said.means(card.commands[label])


def plain(text: str) -> str:
    """Words alone, lower case."""
    return " ".join(_NO_WORD.sub(" ", text.lower()).split())
