"""What speaks against the words that pocketsphinx found. Pure; the thresholds are measured (see each)."""

from cloud.decoders.sphinx_features import Cepstra

SPREAD_MIN = 7.5
"""Speech changes its sound all the time: the deviation of its cepstra but the first, in the mean, was 10 or more in
clean sentences, 9.2 or more in orders that were heard right at 10 dB over noise, and 7.7 at most in 71 stretches of
noise that passed the gate. It costs half of the one-second words at 10 dB, which are hardly ever heard right."""

SCORE_MIN = -33.0
"""Of a sentence of a grammar, the mean of its words' frames, on pocketsphinx's scale: logarithm to the base 1.0001 of
the likelihood beside that of the frame's best state. 99 in 100 orders had -33 or more, 1 in 27 sentences that were
no orders but were forced into the grammar, and noise a lone "coffee"."""


def doubts(cepstra: Cepstra, score: float, *, by_grammar: bool) -> tuple[str, ...]:
    """Names of the guards that object to words found in (frames, CEPSTRA) with that score."""
    objections = {
        "no_speech": not len(cepstra) or float(cepstra[:, 1:].std(axis=0).mean()) < SPREAD_MIN,
        "out_of_grammar": by_grammar and score < SCORE_MIN,
    }
    return tuple(name for name, objects in objections.items() if objects)
