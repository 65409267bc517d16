"""What speaks against the words that pocketsphinx found. Pure; the threshold is measured."""

from cloud.decoders.sphinx_features import Cepstra

SPREAD_MIN = 7.5
"""Speech changes its sound all the time: the deviation of its cepstra but the first, in the mean, was 10 or more in
clean sentences, 9.2 or more in orders that were heard right at 10 dB over noise, and 7.7 at most in 71 stretches of
noise that passed the gate. It costs half of the one-second words at 10 dB, which are hardly ever heard right."""


def doubts(cepstra: Cepstra) -> tuple[str, ...]:
    """Names of the guards that object to words found in (frames, CEPSTRA)."""
    no_speech = not len(cepstra) or float(cepstra[:, 1:].std(axis=0).mean()) < SPREAD_MIN
    return ("no_speech",) if no_speech else ()
