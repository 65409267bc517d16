"""How often the wake word is heard while the board itself speaks, and how often what it says wakes it.

    scripts/bench interrupting
    scripts/bench interrupting --phrase "hey jarvis"

The phrase is spoken by the synthetic voices of wake_phrases.py, each at the usual level, 1.5 s into what the board says
by espeak-ng and by piper; the board's voice is so much louder or quieter at the microphone, which stands beside its
loudspeaker. There is no echo canceller, so the two are added. What the board says are texts of the home domain, which
hold no such phrase.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from benchmarks.corpus import RATE_HZ, Sound, at_level
from benchmarks.figures import progress
from benchmarks.wake_phrases import SPEECH_DBFS, Voice, voices
from edge.local.micro_wake_word import PHRASES
from edge.local.wake_words import open_wake_word
from edge.settings import EdgeSettings, Wake
from edge.sound.source import BLOCK_SAMPLES
from edge.speech.wake import EAGER_PROBABILITY, WakeWord
from protos.feature_spec import DEFAULT_SPEC

CATALOGUE = Path(__file__).parents[1] / "cloud" / "domains" / "home" / "catalogue.jsonl"
OWN_VOICES = ("espeak-ng en-us 170", "piper joe 1.0")
LOUDER_DB = (None, -20.0, -15.0, -10.0, -5.0, 0.0)
"""The board's voice beside a person's; None: it does not speak."""
BEFORE_S, AFTER_S = 1.5, 1.5
TEXTS_MAX = 120


@click.command()
@click.option("--phrase", type=click.Choice(list(PHRASES)), default="okay nabu", show_default=True)
def main(phrase: str) -> None:
    """Measure a wake word while the board speaks."""
    word = open_wake_word(EdgeSettings(wake=Wake(phrase=phrase)), DEFAULT_SPEC)
    people = voices()
    texts = [entry["text"] for entry in map(json.loads, CATALOGUE.read_text(encoding="utf-8").splitlines())]
    own = [voice for voice in people if voice.name in OWN_VOICES]
    print(f'\n"{phrase}" by {len(people)} voices while the board speaks; its voice beside theirs, dB\n')
    print(
        "| board's voice | threshold | " + " | ".join("silent" if db is None else f"{db:+g}" for db in LOUDER_DB) + " |"
    )
    print("|---" * (len(LOUDER_DB) + 2) + "|")
    for mine in own:
        for eager in (False, True):
            heard = [_heard(word, phrase, people, mine, db, texts, eager) for db in LOUDER_DB]
            cells = " | ".join(f"{count} of {len(people)}" for count in heard)
            print(f"| {mine.name} | {_threshold(eager)} | {cells} |", flush=True)
    print("\n| board's voice | threshold | minutes spoken | times that it cut itself short |\n|---|---|---|---|")
    for mine in own:
        for eager in (False, True):
            minutes, woken = _woken_by_itself(word, mine, texts[:: max(1, len(texts) // TEXTS_MAX)], eager)
            print(f"| {mine.name} | {_threshold(eager)} | {minutes:.1f} | {woken} |", flush=True)


def _threshold(eager: bool) -> str:
    return f"{EAGER_PROBABILITY:g}, while it speaks" if eager else "the model's"


def _heard(
    word: WakeWord,
    phrase: str,
    people: Sequence[Voice],
    mine: Voice,
    louder_db: float | None,
    texts: Sequence[str],
    eager: bool,
) -> int:
    """How many of them."""
    count = 0
    for number, person in enumerate(people):
        progress(f"{mine.name}, {louder_db} dB: {number} of {len(people)}")
        sound = np.pad(person.say(phrase), (round(BEFORE_S * RATE_HZ), round(AFTER_S * RATE_HZ)))
        if louder_db is not None:
            sound = sound + _speech(mine, texts[number * 7 :], sound.size, SPEECH_DBFS + louder_db)
        count += _times(word, sound, eager) > 0
    return count


def _speech(mine: Voice, texts: Sequence[str], size: int, level_dbfs: float) -> Sound:
    """So much of what it says."""
    parts: list[Sound] = []
    while sum(part.size for part in parts) < size:
        parts.append(at_level(mine.say(texts[len(parts)]), level_dbfs))
    return np.concatenate(parts)[:size]


def _woken_by_itself(word: WakeWord, mine: Voice, texts: Sequence[str], eager: bool) -> tuple[float, int]:
    """Minutes, and times."""
    samples, woken = 0, 0
    for number, text in enumerate(texts):
        progress(f"{mine.name}: {number} of {len(texts)} texts")
        sound = mine.say(text)
        samples += sound.size
        woken += _times(word, sound, eager)
    return samples / RATE_HZ / 60, woken


def _times(word: WakeWord, sound: Sound, eager: bool) -> int:
    word.reset()
    pcm = np.clip(np.rint(sound * 32_768), -32_768, 32_767).astype(np.int16)
    blocks = pcm[: pcm.size // BLOCK_SAMPLES * BLOCK_SAMPLES].reshape(-1, BLOCK_SAMPLES)
    times = 0
    for block in blocks:
        if word.hear(block) or (eager and word.probability >= EAGER_PROBABILITY):
            times += 1
            word.reset()
    return times


if __name__ == "__main__":
    main()
