"""The real pocketsphinx, on frames that the board would send."""

import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks import corpus
from cloud.decoders import Task
from cloud.decoders.pocketsphinx import PocketSphinx, load
from cloud.decoders.sphinx_kind import Kind
from common.errors import DomainError
from edge.speech.log_mel import log_mel
from protos.feature_spec import ACCEPTED_SPECS, DEFAULT_SPEC, FeatureSpec, Levels
from tests.conftest import Speech

COFFEE = str(Path(__file__).parent.parent / "cloud" / "domains" / "coffee")
NO_GRAMMAR = ""


@pytest.fixture(scope="module")
def engine() -> PocketSphinx:
    return PocketSphinx(domain_folders=[COFFEE])


def frames(speech: Speech, name: str, spec: FeatureSpec = DEFAULT_SPEC) -> Levels:
    return spec.quantise(log_mel(soundfile.read(speech.path(name), dtype="int16")[0], spec))


def quiet_frames(speech: Speech, name: str, dbfs: float) -> Levels:
    samples = np.rint(corpus.at_level(corpus.read(speech.path(name)), dbfs) * 32768).astype(np.int16)
    return DEFAULT_SPEC.quantise(log_mel(samples, DEFAULT_SPEC))


def noise(seconds: int, deviation: int = 1000) -> Levels:
    samples = (np.random.default_rng(3).standard_normal(seconds * 16_000) * deviation).astype(np.int16)
    return DEFAULT_SPEC.quantise(log_mel(samples, DEFAULT_SPEC))


def test_words_come_while_they_are_spoken_and_have_their_times(engine: PocketSphinx, speech: Speech) -> None:
    levels = frames(speech, "timer")
    decoding = engine.begin(Task("kitchen", "u1", DEFAULT_SPEC, NO_GRAMMAR))
    partials = [decoding.feed(levels[start : start + 10]) for start in range(0, len(levels), 10)]
    found = decoding.finish()
    assert "time" in partials[len(partials) * 3 // 4]
    assert found.transcript.endswith("for ten minutes")
    assert not found.doubts
    starts = [word.start_ms for word in found.words]
    assert starts == sorted(starts)
    assert all(0 <= word.start_ms < word.end_ms <= 10 * len(levels) for word in found.words)


def test_pieces_of_any_size_give_the_same_words(engine: PocketSphinx, speech: Speech) -> None:
    levels = frames(speech, "timer")
    heard = set()
    for piece in (1, 5, 8, 20, 1000):
        decoding = engine.begin(Task(f"board-{piece}", "u1", DEFAULT_SPEC, NO_GRAMMAR))
        for start in range(0, len(levels), piece):
            decoding.feed(levels[start : start + piece])
        heard.add(decoding.finish().transcript)
    [transcript] = heard
    assert transcript.endswith("for ten minutes")


@pytest.mark.parametrize("spec", ACCEPTED_SPECS.values(), ids=lambda spec: spec.fingerprint)
def test_an_order_is_heard_under_the_grammar_from_any_accepted_frames(
    engine: PocketSphinx, speech: Speech, spec: FeatureSpec
) -> None:
    decoding = engine.begin(Task("counter", "u1", spec, COFFEE))
    decoding.feed(frames(speech, "latte", spec))
    found = decoding.finish()
    assert (found.by_grammar, found.doubts) == (True, ())
    assert found.transcript.endswith("large latte with soy milk")


def test_what_is_no_order_is_doubted_under_the_grammar(engine: PocketSphinx, speech: Speech) -> None:
    for name in ("berlin", "fuse_box", "jazz", "egg"):
        decoding = engine.begin(Task("counter", "u1", DEFAULT_SPEC, COFFEE))
        decoding.feed(frames(speech, name))
        found = decoding.finish()
        assert not found.transcript or "out_of_grammar" in found.doubts


@pytest.mark.parametrize("dbfs", [-30, -50])
def test_quiet_speech_is_heard_as_well_as_loud(engine: PocketSphinx, speech: Speech, dbfs: float) -> None:
    for name, folder, words in (("jazz", NO_GRAMMAR, "play some"), ("latte", COFFEE, "large latte with soy milk")):
        decoding = engine.begin(Task(f"{name}{dbfs}", "u1", DEFAULT_SPEC, folder))
        decoding.feed(quiet_frames(speech, name, dbfs))
        found = decoding.finish()
        assert not found.doubts
        assert words in found.transcript


@pytest.mark.parametrize("deviation", [3, 30, 300, 3000])
@pytest.mark.parametrize("folder", [NO_GRAMMAR, COFFEE])
def test_steady_noise_is_no_speech(engine: PocketSphinx, folder: str, deviation: int) -> None:
    decoding = engine.begin(Task("counter", "u1", DEFAULT_SPEC, folder))
    decoding.feed(noise(3, deviation))
    found = decoding.finish()
    assert not found.transcript or "no_speech" in found.doubts


def test_several_utterances_interleave_without_touching_each_other(engine: PocketSphinx, speech: Speech) -> None:
    names = {"timer": NO_GRAMMAR, "latte": COFFEE}
    levels = {name: frames(speech, name) for name in names}
    decodings = {name: engine.begin(Task(name, "u1", DEFAULT_SPEC, folder)) for name, folder in names.items()}
    for start in range(0, max(map(len, levels.values())), 10):
        for name, decoding in decodings.items():
            decoding.feed(levels[name][start : start + 10])
    assert decodings["timer"].finish().transcript.endswith("for ten minutes")
    assert decodings["latte"].finish().transcript.endswith("large latte with soy milk")


def test_an_utterance_given_up_leaves_its_decoder_fit_for_the_next(engine: PocketSphinx, speech: Speech) -> None:
    levels = frames(speech, "timer")
    given_up = engine.begin(Task("kitchen", "u1", DEFAULT_SPEC, NO_GRAMMAR))
    given_up.feed(levels[:50])
    given_up.close()
    given_up.close()
    decoding = engine.begin(Task("hall", "u1", DEFAULT_SPEC, NO_GRAMMAR))
    decoding.feed(levels)
    assert decoding.finish().transcript.endswith("for ten minutes")


def test_alone_it_takes_its_time_at_the_end(speech: Speech) -> None:
    decoding = PocketSphinx(alone=True).begin(Task("kitchen", "u1", DEFAULT_SPEC, NO_GRAMMAR))
    decoding.feed(frames(speech, "timer"))
    found = decoding.finish()
    assert found.transcript.endswith("for ten minutes")
    assert not found.doubts


def test_an_utterance_given_up_costs_no_second_pass_and_leaves_its_decoder_fit(speech: Speech) -> None:
    levels = frames(speech, "timer")
    heard = []
    for given_up in (False, True):
        engine = PocketSphinx(alone=True)
        if given_up:
            decoding = engine.begin(Task("hall", "u1", DEFAULT_SPEC, NO_GRAMMAR))
            decoding.feed(levels)
            began_s = time.process_time()
            decoding.close()
            given_up_s = time.process_time() - began_s
        decoding = engine.begin(Task("kitchen", "u1", DEFAULT_SPEC, NO_GRAMMAR))
        decoding.feed(levels)
        began_s = time.process_time()
        heard.append(decoding.finish())
        finished_s = time.process_time() - began_s
    assert heard[1] == heard[0]
    assert given_up_s < finished_s / 2


def test_nothing_at_all_is_no_words(engine: PocketSphinx) -> None:
    decoding = engine.begin(Task("kitchen", "u1", DEFAULT_SPEC, NO_GRAMMAR))
    assert decoding.finish().transcript == ""


def test_noise_does_not_move_the_mean_that_a_board_starts_from(engine: PocketSphinx, speech: Speech) -> None:
    before = engine.means.start("attic", "u3").value
    decoding = engine.begin(Task("attic", "u1", DEFAULT_SPEC, NO_GRAMMAR))
    decoding.feed(noise(2))
    decoding.finish()
    assert np.array_equal(engine.means.start("attic", "u3").value, before)
    decoding = engine.begin(Task("attic", "u2", DEFAULT_SPEC, NO_GRAMMAR))
    decoding.feed(frames(speech, "timer"))
    decoding.finish()
    assert not np.array_equal(engine.means.start("attic", "u3").value, before)


@pytest.mark.parametrize(
    ("grammar", "dictionary", "sentence"),
    [
        ("#JSGF V1.0; grammar g; public <a> = tea | mokaccino;", "", "no pronunciation is known of mokaccino"),
        ("#JSGF V1.0; grammar g; public <a> = (tea;", "", "grammar.jsgf: cannot be used"),
        ("", "", "grammar.jsgf: cannot be used"),
        ("#JSGF V1.0; grammar g; public <a> = tea;", "moka NOT PHONES", "dictionary.txt:1: not a new word"),
    ],
)
def test_a_broken_grammar_is_told_by_file_and_cause(grammar: str, dictionary: str, sentence: str) -> None:
    with pytest.raises(DomainError, match=sentence):
        load(Kind("my-shop", grammar, dictionary))


def test_a_word_of_ones_own_gets_its_pronunciation() -> None:
    decoder = load(Kind("my-shop", "#JSGF V1.0; grammar g; public <a> = mokaccino;", "mokaccino M OW K AH CH IY N OW"))
    assert decoder.lookup_word("mokaccino") == "M OW K AH CH IY N OW"
