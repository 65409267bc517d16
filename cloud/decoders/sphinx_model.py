"""What pocketsphinx knows of open speech: its general model of words, and over it the phrases of a domain.

A phrase is one word more that may stand wherever a word may, a class of them beside the words, each as likely (Brown et
al. 1992, "Class-Based n-gram Models of Natural Language"). Nothing is written and nothing is counted anew, so that a
domain costs no file and a fraction of a second, and other words are as likely as before.
"""

from functools import lru_cache
from pathlib import Path

import pocketsphinx

from cloud.building.bundle import read_bundle
from cloud.decoders.sphinx_phrases import phrase_name

PHRASES_LIKELIHOOD = 0.5
"""What all phrases of a domain have together, beside 1 for all words of the general model (BENCHMARKS.md)."""

GENERAL_WORDS = 72_547
"""Of the model that pocketsphinx's package carries; its library does not tell."""

LOG_MATH = pocketsphinx.LogMath()
"""Of all models, which do not keep what they are given: with one that is gone all phrases are certain."""

MODELS_MAX = 8
"""Models that a process keeps, 32 MB each, for decoders that are made later."""


@lru_cache(MODELS_MAX)
def language_model(bundle: str) -> pocketsphinx.NGramModel:
    """The general model with the phrases of a bundle's domain (empty: none), one for all decoders of a process.

    ValueError if the general model cannot be read; DomainError if the bundle cannot."""
    settings = pocketsphinx.Config()
    model = pocketsphinx.NGramModel(settings, LOG_MATH, settings["lm"])
    phrases = read_bundle(Path(bundle)).phrases if bundle else {}
    for words, phrase in enumerate(phrases, GENERAL_WORDS + 1):
        # It is told how much likelier than an equal share of all words so far.
        model.add_word(phrase_name(phrase), PHRASES_LIKELIHOOD / len(phrases) * words)
    return model
