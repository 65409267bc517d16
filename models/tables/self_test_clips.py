"""Makes edge/models/clips.npz, by which a board tries a model before it answers by it.

    .venv/bin/python -m models.tables.self_test_clips

Each command of home-v1 by a voice of flite or espeak-ng (both have to be there), sentences that are no command, noise
and silence; frames as they go to a model, 80 kB. Whether a model may be kept is decided elsewhere, by what people say;
these clips tell that it works on this board at all, and is the model that its card speaks of.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import numpy.typing as npt

from edge.settings import MODELS_DIR
from edge.sound.resampler import Resampler
from edge.sound.source import SAMPLE_RATE_HZ, Samples
from edge.speech.log_mel import log_mel
from models.synthesis.engine import Manner, Spoken, Voice
from models.synthesis.programs import EspeakNg, Flite
from protos.feature_spec import DEFAULT_SPEC
from protos.model_card import CARD_FILE, read_model_card

OTHERS = (
    "what is the capital of Norway",
    "my sister comes on Thursday",
    "that was a very long day",
    "the kettle is on the shelf",
)
"""Said, and no command."""
NOISE_DBFS = (-65.0, -35.0)
"""Around what is said; alone."""
BEFORE_S, AFTER_S = 0.4, 0.5
SPEECH_DBFS = -23.0
SEED = 1


class Made(NamedTuple):
    """A clip; without words where nobody speaks."""

    text: str
    samples: Samples
    speech_ms: int


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("edge/models/clips.npz"), help="File to write.")
def main(out: Path) -> None:
    """Have machines say what home-v1 knows, and what it does not."""
    draw = np.random.default_rng(SEED)
    made = [*spoken(draw), *unspoken(draw)]
    levels = [DEFAULT_SPEC.quantise(log_mel(one.samples, DEFAULT_SPEC)) for one in made]
    np.savez_compressed(
        out,
        fingerprint=np.array(DEFAULT_SPEC.fingerprint),
        texts=np.array([one.text for one in made]),
        speech_ms=np.array([one.speech_ms for one in made], np.int32),
        frames=np.array([len(one) for one in levels], np.int32),
        levels=np.concatenate(levels),
    )
    print(f"{out}: {len(made)} clips, {out.stat().st_size} bytes")


def spoken(draw: np.random.Generator) -> Iterator[Made]:
    """Commands and other sentences, by two voices in turn."""
    card = read_model_card(MODELS_DIR / "home-v1" / CARD_FILE)
    flite, espeak = Flite(), EspeakNg()
    speakers: list[tuple[Flite | EspeakNg, Voice]] = [
        (flite, next(voice for voice in flite.voices() if voice.name == "slt")),
        (espeak, next(voice for voice in espeak.voices() if voice.name == "en")),
    ]
    for number, text in enumerate([*(command.text for command in card.commands.values()), *OTHERS]):
        engine, voice = speakers[number % 2]
        (said,) = engine.say(voice, Manner(), [text])
        if isinstance(said, str):
            raise click.ClickException(f"{text}: {said}.")
        yield amid_silence(text, trimmed(said), draw)


def trimmed(said: Spoken) -> npt.NDArray[np.float64]:
    """At the board's rate, from its first sound to its last."""
    sound = said.sound.astype(np.float32)
    if said.rate_hz != SAMPLE_RATE_HZ:
        resampler = Resampler(said.rate_hz)
        sound = np.concatenate([resampler.push((sound / 65536).astype(np.float32)), resampler.flush()])
    sounding = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max())
    return sound[sounding[0] : sounding[-1]].astype(np.float64)


def unspoken(draw: np.random.Generator) -> Iterator[Made]:
    """Silence and noise."""
    for dbfs in NOISE_DBFS:
        yield Made("", noise(round(1.5 * SAMPLE_RATE_HZ), dbfs, draw), 1000)


def amid_silence(text: str, said: npt.NDArray[np.float64], draw: np.random.Generator) -> Made:
    """As the board cuts it out."""
    loud = said.copy()
    loud *= 32768 * 10 ** (SPEECH_DBFS / 20) / np.sqrt(np.mean(loud**2))
    before, after = (round(seconds * SAMPLE_RATE_HZ) for seconds in (BEFORE_S, AFTER_S))
    whole = np.concatenate([np.zeros(before), loud, np.zeros(after)])
    whole += noise(len(whole), NOISE_DBFS[0], draw)
    return Made(text, np.clip(np.rint(whole), -32768, 32767).astype(np.int16), 1000 * len(said) // SAMPLE_RATE_HZ)


def noise(samples: int, dbfs: float, draw: np.random.Generator) -> Samples:
    """White."""
    return np.rint(draw.normal(0, 32768 * 10 ** (dbfs / 20), samples)).astype(np.int16)


if __name__ == "__main__":
    main()
