"""Implicit "wrong": how many of those who ask again are known as such, and how many who do not are taken for it.

    scripts/bench reasks --data DIR --work DIR

Dialogues of two utterances within ten seconds, made of recordings as pocketsphinx heard them (outcomes_heard.py). What
people do is drawn, what was heard is not: whose answer was wrong or empty mostly says the same again (the same order in
another recording where there is one, else in another take: faster, in another stretch of noise), sometimes lets it be
and goes on; whose answer was right sometimes asks for something else at once, and sometimes for the same again on
purpose; and some talked to somebody else first, of which the board made nothing. A half of the recordings is for
--fit, the other for the figures.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import numpy.typing as npt

from benchmarks import outcomes_heard
from benchmarks.outcomes_heard import Half, Heard, Set
from cloud.outcomes import reask
from cloud.outcomes.outcome import plain_words
from cloud.outcomes.reask import Turn
from cloud.pronouncing.phones import Phones
from cloud.pronouncing.pronouncer import Pronouncer

SEED = 23
DIALOGUES: dict[Set, int] = {"orders": 3000, "commands": 1200, "sentences": 600}
AGAIN_IF_WRONG = 0.7
"""Of those who were answered wrong and speak again at once; the others let it be and say something else."""
ON_IF_RIGHT = 0.75
"""Of those who were answered right and speak again at once; the others want the same twice."""
OTHER_TALK = 0.04
"""Of dialogues: the first was not for the board, and nothing was understood; that is right."""
WORDS_WRONG = 0.3
"""A sentence with more of its words wrong is a wrong answer."""
RIDGE = 4.0


class Dialogue(NamedTuple):
    """Two utterances of one person, one soon after the other."""

    first: Turn
    second: Turn
    kind: str
    """What the person does."""

    @property
    def is_reask(self) -> bool:
        return self.kind == "asks again"

    @property
    def was_wrong(self) -> bool:
        return self.kind in ("asks again", "lets it be and goes on")


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--work", type=click.Path(path_type=Path), required=True, help="Keeps what was heard.")
@click.option("--fit", is_flag=True, help="Fit the weights on the tuning half instead, and print them.")
def main(data: Path, work: Path, fit: bool) -> None:
    """Precision and recall of re-asks."""
    half: Half = "tuning" if fit else "test"
    phones_of = _phones_of(Pronouncer(alone=True))
    drawn = {name: list(dialogues(name, outcomes_heard.listen(name, half, data, work))) for name in DIALOGUES}
    if fit:
        print_fit([one for them in drawn.values() for one in them], phones_of)
    print("| of | dialogues | asked again | told | of those wrong | of those asked again | recall | by letters alone |")
    print("|---|---|---|---|---|---|---|---|")
    everything = [one for them in drawn.values() for one in them]
    for name, them in (*drawn.items(), ("all", everything)):
        truth = sum(one.is_reask for one in them)
        sound, letters = _told(them, phones_of), _told(them, None)
        print(
            f"| {name} | {len(them)} | {truth} | {sum(sound)} | {_figures(them, sound)} | "
            f"{_figures(them, letters).replace('|', '·')} |"
        )
    print("\n| what they did | dialogues | told as asking again |\n|---|---|---|")
    for kind in dict.fromkeys(one.kind for one in everything):
        here = [one for one in everything if one.kind == kind]
        print(f"| {kind} | {len(here)} | {np.mean(_told(here, phones_of)):.3f} |", flush=True)


def dialogues(name: Set, heard: Sequence[Heard]) -> Iterator[Dialogue]:
    """The same at each run."""
    draw = np.random.default_rng([SEED, len(name)])
    kept = [one for one in heard if one.facts is not None]
    by_truth: dict[object, list[Heard]] = defaultdict(list)
    for one in kept:
        by_truth[one.truth].append(one)
    made = 0
    while made < DIALOGUES[name]:
        if draw.random() < OTHER_TALK:
            second = kept[int(draw.integers(len(kept)))]
            yield Dialogue(Turn("board", 0.0, 3.0, ""), _turn(second, 7.0), "talked to somebody else first")
            made += 1
            continue
        first = kept[int(draw.integers(len(kept)))]
        again = [one for one in by_truth[first.truth] if _is_another(one, first)]
        if _is_right(first):
            kind = "goes on" if draw.random() < ON_IF_RIGHT else "says the same on purpose"
            # Hardly anybody says twice on purpose what is written down; and most who got what they wanted are silent.
            if (name == "sentences" and kind != "goes on") or draw.random() < 0.5:
                continue
        else:
            kind = "asks again" if draw.random() < AGAIN_IF_WRONG else "lets it be and goes on"
        if kind in ("goes on", "lets it be and goes on"):
            second = kept[int(draw.integers(len(kept)))]
            if second.truth == first.truth:
                continue
        elif not again:
            continue
        else:
            second = again[int(draw.integers(len(again)))]
        gap_s = float(np.clip(draw.lognormal(1.1, 0.6), 0.3, reask.WITHIN_S - 0.1))
        yield Dialogue(_turn(first, 0.0), _turn(second, 6.0 + gap_s), kind)
        made += 1


def _is_another(one: Heard, first: Heard) -> bool:
    """Another recording, or another take of it."""
    return one.name != first.name or one.condition[-1] != first.condition[-1]


def _is_right(one: Heard) -> bool:
    if one.slots is not None:
        return one.is_right
    return errors(one) <= WORDS_WRONG


def errors(one: Heard) -> float:
    """Of a sentence's words, the share that is wrong; at most 1."""
    wanted, got = plain_words(one.words), plain_words(one.transcript)
    row = list(range(len(got) + 1))
    for number, word in enumerate(wanted, 1):
        before, row[0] = row[0], number
        for place, other in enumerate(got, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (word != other))
    return min(1.0, row[-1] / max(1, len(wanted)))


def _turn(one: Heard, at_s: float) -> Turn:
    facts = one.facts
    assert facts is not None
    return Turn(
        "board",
        at_s,
        at_s + 6.0,
        one.transcript,
        intent=facts.intent,
        slots=one.understood or {},
        asked_back=bool(one.choices),
        confidence=facts.confidence,
        readings=one.readings,
    )


def _told(them: Sequence[Dialogue], phones_of: reask.PhonesOf | None) -> list[bool]:
    found = (reask.reask(one.first, one.second, phones_of) for one in them)
    return [probability is not None and probability > 0.5 for probability in found]


def _figures(them: Sequence[Dialogue], told: Sequence[bool]) -> str:
    """Precision for what was wrong, and for who asked again; recall of who asked again."""
    those = [one for one, is_told in zip(them, told, strict=True) if is_told]
    hits, all_told = sum(one.is_reask for one in those), max(1, len(those))
    recall = hits / max(1, sum(one.is_reask for one in them))
    return f"{sum(one.was_wrong for one in those) / all_told:.3f} | {hits / all_told:.3f} | {recall:.3f}"


def _phones_of(pronouncer: Pronouncer) -> Callable[[str], tuple[Phones, ...]]:
    known: dict[str, tuple[Phones, ...]] = {}

    def phones_of(text: str) -> tuple[Phones, ...]:
        if text not in known:
            found = pronouncer.pronounce([text]).get(text)
            known[text] = found.variants[:1] if found is not None else ()
        return known[text]

    return phones_of


def print_fit(them: Sequence[Dialogue], phones_of: reask.PhonesOf) -> None:
    """Weights of a logistic function by Newton's method."""
    rows = np.array([[1.0, *reask.evidence(one.first, one.second, phones_of)] for one in them])
    truth = np.array([one.was_wrong for one in them], float)
    # What no recording has, stays as it was thought to be.
    before: npt.NDArray[np.float64] = np.array([reask.BIAS, *reask.WEIGHTS])
    weights = before.copy()
    ridge = np.diag([0.0] + [RIDGE] * (rows.shape[1] - 1))
    for _ in range(50):
        likely = 1 / (1 + np.exp(-rows @ weights))
        slope = rows.T @ (truth - likely) - ridge @ (weights - before)
        weights += np.linalg.solve(rows.T @ (rows * (likely * (1 - likely))[:, None]) + ridge, slope)
    print(f"BIAS = {weights[0]:.1f}")
    for field, weight in zip(reask.Evidence._fields, weights[1:], strict=True):
        print(f"    {field}={weight:.1f},")
    reask.BIAS = round(float(weights[0]), 1)
    reask.WEIGHTS = reask.Evidence(*(round(float(weight), 1) for weight in weights[1:]))


if __name__ == "__main__":
    main()
