"""Makes cloud/pronouncing/graphones.npz, by which words that no dictionary has are pronounced: cmudict in, a table out.

    .venv/bin/python -m models.tables.graphones

A letter and the phones that it makes are a graphone; words are sequences of them (Bisani and Ney 2008,
"Joint-sequence models for grapheme-to-phoneme conversion"). A minute of one core, and the same bytes each time.
"""

from collections import Counter
from pathlib import Path

import click
import numpy as np

from models.labels.dictionary import all_pronunciations
from models.tables.graphone_alignment import Spelt, align
from models.tables.graphone_counts import Tree, learn
from models.tables.held_words import PLAIN, part_of

VERSION = 1
LEAST = (1, 1, 1, 2, 2, 2, 2)
"""How often an n-gram of each length must occur. Keeping all is three times as large and no better."""
RARE = 12
"""A graphone seen less often is a fault or a foreign word's, and its words are left out."""
STEP = 1 / 16
"""Logarithms are kept in such steps, a byte each."""


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("cloud/pronouncing/graphones.npz"))
def main(out: Path) -> None:
    """Learn how English words are spelt from all but the held-out words of the dictionary."""
    words = [
        Spelt(word, phones)
        for word, said in all_pronunciations().items()
        if PLAIN.fullmatch(word) and part_of(word) == "learn"
        for phones in said
    ]
    print(f"{len(words)} words", flush=True)
    spelt = [word for word in align(words) if word]
    often = Counter(graphone for word in spelt for graphone in word)
    graphones = sorted(graphone for graphone, times in often.items() if times >= RARE)
    number = {graphone: place for place, graphone in enumerate(graphones)}
    sequences = [[number[graphone] for graphone in word] for word in spelt if all(one in number for one in word)]
    tree = learn(sequences, len(graphones), LEAST)
    save(out, graphones, tree)
    print(f"{out}: {len(graphones)} graphones, {len(tree.symbols)} nodes, {out.stat().st_size} bytes")


def save(out: Path, graphones: list[tuple[str, str]], tree: Tree) -> None:
    """Writes what cloud/pronouncing/graphones.py reads."""
    np.savez_compressed(
        out,
        version=np.int64(VERSION),
        graphones=np.str_("\n".join(f"{letter} {phones}".strip() for letter, phones in graphones)),
        step=np.float64(STEP),
        symbols=tree.symbols.astype(np.uint8),
        children=tree.children.astype(np.uint8),
        chances=_in_steps(tree.chances),
        backing_off=_in_steps(tree.backing_off),
    )


def _in_steps(logarithms: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    return np.clip(np.rint(-logarithms / STEP), 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
