"""The real pocketsphinx, on frames that the board would send."""

import gc
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks import corpus
from cloud.building.build import build_bundle
from cloud.building.domain import load_domain
from cloud.decoders import Hypothesis, Task, sphinx_model
from cloud.decoders.pocketsphinx import Kind, PocketSphinx, load
from cloud.decoders.sphinx_model import language_model
from edge.speech.log_mel import log_mel
from protos.feature_spec import ACCEPTED_SPECS, DEFAULT_SPEC, FeatureSpec, Levels
from tests.conftest import Speech

OPEN = ""


@pytest.fixture(scope="module")
def coffee(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(build_bundle(load_domain("coffee"), tmp_path_factory.mktemp("bundles")))


@pytest.fixture(scope="module")
def engine(coffee: str) -> PocketSphinx:
    return PocketSphinx(bundles=[coffee])


def said(found: Hypothesis) -> str:
    """The words, or the sentence of the domain."""
    return found.transcript or next((sentence.text for sentence in found.sentences), "")


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
    decoding = engine.begin(Task("kitchen", "u1", DEFAULT_SPEC, OPEN))
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
        decoding = engine.begin(Task(f"board-{piece}", "u1", DEFAULT_SPEC, OPEN))
        for start in range(0, len(levels), piece):
            decoding.feed(levels[start : start + piece])
        heard.add(decoding.finish().transcript)
    [transcript] = heard
    assert transcript.endswith("for ten minutes")


@pytest.mark.parametrize("spec", ACCEPTED_SPECS.values(), ids=lambda spec: spec.fingerprint)
def test_an_order_is_heard_as_a_sentence_from_any_accepted_frames(
    engine: PocketSphinx, coffee: str, speech: Speech, spec: FeatureSpec
) -> None:
    decoding = engine.begin(Task("counter", "u1", spec, coffee))
    decoding.feed(frames(speech, "latte", spec))
    found = decoding.finish()
    assert (found.transcript, found.doubts) == ("", ())
    [sentence] = found.sentences
    assert sentence.text.endswith("large latte with soy milk")
    assert " ".join(word.text for word in sentence.words) == sentence.text


def test_what_is_no_order_is_less_like_one(engine: PocketSphinx, coffee: str, speech: Speech) -> None:
    scores = {}
    for name in ("latte", "berlin", "fuse_box", "jazz", "egg"):
        decoding = engine.begin(Task("counter", "u1", DEFAULT_SPEC, coffee))
        decoding.feed(frames(speech, name))
        scores[name] = max((sentence.score for sentence in decoding.finish().sentences), default=-1000.0)
    order = scores.pop("latte")
    assert max(scores.values()) < order - 5


@pytest.mark.parametrize("dbfs", [-30, -50])
def test_quiet_speech_is_heard_as_well_as_loud(engine: PocketSphinx, coffee: str, speech: Speech, dbfs: float) -> None:
    for name, bundle, words in (("jazz", OPEN, "play some"), ("latte", coffee, "large latte with soy milk")):
        decoding = engine.begin(Task(f"{name}{dbfs}", "u1", DEFAULT_SPEC, bundle))
        decoding.feed(quiet_frames(speech, name, dbfs))
        found = decoding.finish()
        assert not found.doubts
        assert words in said(found)


@pytest.mark.parametrize("deviation", [3, 30, 300, 3000])
@pytest.mark.parametrize("is_open", [True, False])
def test_steady_noise_is_no_speech(engine: PocketSphinx, coffee: str, is_open: bool, deviation: int) -> None:
    decoding = engine.begin(Task("counter", "u1", DEFAULT_SPEC, OPEN if is_open else coffee))
    decoding.feed(noise(3, deviation))
    found = decoding.finish()
    assert not said(found) or "no_speech" in found.doubts


def test_several_utterances_interleave_without_touching_each_other(
    engine: PocketSphinx, coffee: str, speech: Speech
) -> None:
    names = {"timer": OPEN, "latte": coffee}
    levels = {name: frames(speech, name) for name in names}
    decodings = {name: engine.begin(Task(name, "u1", DEFAULT_SPEC, bundle)) for name, bundle in names.items()}
    for start in range(0, max(map(len, levels.values())), 10):
        for name, decoding in decodings.items():
            decoding.feed(levels[name][start : start + 10])
    assert decodings["timer"].finish().transcript.endswith("for ten minutes")
    assert said(decodings["latte"].finish()).endswith("large latte with soy milk")


def test_an_utterance_given_up_leaves_its_decoder_fit_for_the_next(engine: PocketSphinx, speech: Speech) -> None:
    levels = frames(speech, "timer")
    given_up = engine.begin(Task("kitchen", "u1", DEFAULT_SPEC, OPEN))
    given_up.feed(levels[:50])
    given_up.close()
    given_up.close()
    decoding = engine.begin(Task("hall", "u1", DEFAULT_SPEC, OPEN))
    decoding.feed(levels)
    assert decoding.finish().transcript.endswith("for ten minutes")


def test_alone_it_takes_its_time_at_the_end(speech: Speech) -> None:
    decoding = PocketSphinx(alone=True).begin(Task("kitchen", "u1", DEFAULT_SPEC, OPEN))
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
            decoding = engine.begin(Task("hall", "u1", DEFAULT_SPEC, OPEN))
            decoding.feed(levels)
            began_s = time.process_time()
            decoding.close()
            given_up_s = time.process_time() - began_s
        decoding = engine.begin(Task("kitchen", "u1", DEFAULT_SPEC, OPEN))
        decoding.feed(levels)
        began_s = time.process_time()
        heard.append(decoding.finish())
        finished_s = time.process_time() - began_s
    assert heard[1] == heard[0]
    assert given_up_s < finished_s / 2


def test_nothing_at_all_is_no_words(engine: PocketSphinx) -> None:
    decoding = engine.begin(Task("kitchen", "u1", DEFAULT_SPEC, OPEN))
    assert decoding.finish().transcript == ""


def test_noise_does_not_move_the_mean_that_a_board_starts_from(engine: PocketSphinx, speech: Speech) -> None:
    before = engine.means.start("attic", "u3").value
    decoding = engine.begin(Task("attic", "u1", DEFAULT_SPEC, OPEN))
    decoding.feed(noise(2))
    decoding.finish()
    assert np.array_equal(engine.means.start("attic", "u3").value, before)
    decoding = engine.begin(Task("attic", "u2", DEFAULT_SPEC, OPEN))
    decoding.feed(frames(speech, "timer"))
    decoding.finish()
    assert not np.array_equal(engine.means.start("attic", "u3").value, before)


def test_a_word_of_ones_own_gets_its_pronunciations(tmp_path: Path) -> None:
    write_domain(
        tmp_path / "shop", "mokaccino", lexicon="mokaccino M OW K AH CH IY N OW\nmokaccino = moh kah chee noh\n"
    )
    decoder = load(Kind(str(build_bundle(load_domain(str(tmp_path / "shop")), tmp_path)), sentences=True))
    assert decoder.lookup_word("mokaccino") == "M OW K AH CH IY N OW"
    assert decoder.lookup_word("mokaccino(2)") == "M OW K AA CH IY N OW"


def test_a_domain_that_is_open_is_heard_both_ways(tmp_path: Path, engine: PocketSphinx, speech: Speech) -> None:
    write_domain(tmp_path / "shop", "i'd like a large latte with soy milk")
    shop = str(build_bundle(load_domain(str(tmp_path / "shop")), tmp_path))
    decoding = engine.begin(Task("counter", "u1", DEFAULT_SPEC, shop))
    # What fits a sentence of the domain is shown as one.
    assert decoding.feed(frames(speech, "latte")) == "i'd like a large latte with soy milk"
    found = decoding.finish()
    assert found.transcript
    assert [sentence.text for sentence in found.sentences] == ["i'd like a large latte with soy milk"]


def test_a_title_is_heard_within_open_speech_and_other_words_are_heard_as_before(
    tmp_path: Path, engine: PocketSphinx, speech: Speech
) -> None:
    titles = catalogue(tmp_path / "radio", "Jazz", "Boil an egg")
    for name, without, heard in (
        ("jazz", "play some jets", "play some jazz"),
        ("egg", "how long do i want one egg", "how long do i boil an egg"),
        ("fuse_box", "where is the fuse box", "where is the fuse box"),
    ):
        assert open_words(engine, OPEN, frames(speech, name)).transcript == without
        found = open_words(engine, titles, frames(speech, name))
        assert found.transcript == heard
        assert [word.text for word in found.words] == heard.split()
        assert all(one.end_ms <= after.start_ms for one, after in zip(found.words, found.words[1:], strict=False))


def test_a_title_that_nobody_else_knows_is_heard_as_its_owner_says_it(
    tmp_path: Path, engine: PocketSphinx, speech: Speech
) -> None:
    bundle = catalogue(tmp_path / "radio", "Xkjzq", lexicon="xkjzq = jaz\n")
    assert open_words(engine, bundle, frames(speech, "jazz")).transcript == "play some xkjzq"


def test_alone_it_hears_titles_in_its_second_pass_as_well(tmp_path: Path, speech: Speech) -> None:
    bundle = catalogue(tmp_path / "radio", "Jazz")
    assert open_words(PocketSphinx(bundles=[bundle], alone=True), bundle, frames(speech, "jazz")).transcript == (
        "play some jazz"
    )


def test_a_title_is_not_heard_where_it_is_made_unlikely(
    tmp_path: Path, engine: PocketSphinx, speech: Speech, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sphinx_model, "PHRASES_LIKELIHOOD", 1e-12)
    bundle = catalogue(tmp_path / "radio", "Jazz")
    assert open_words(engine, bundle, frames(speech, "jazz")).transcript == "play some jets"


def test_decoders_of_a_domain_share_its_model(tmp_path: Path) -> None:
    bundle = catalogue(tmp_path / "radio", "Jazz")
    assert language_model(bundle) is language_model(bundle)
    assert language_model(bundle) is not language_model(OPEN)


def test_a_decoder_outlives_the_model_that_others_would_have_shared(tmp_path: Path, speech: Speech) -> None:
    bundle = catalogue(tmp_path / "radio", "Jazz")
    engine = PocketSphinx(bundles=[bundle])
    language_model.cache_clear()
    gc.collect()
    assert open_words(engine, bundle, frames(speech, "jazz")).transcript == "play some jazz"


def open_words(engine: PocketSphinx, bundle: str, levels: Levels) -> Hypothesis:
    decoding = engine.begin(Task("kitchen", "u1", DEFAULT_SPEC, bundle))
    decoding.feed(levels)
    return decoding.finish()


def catalogue(folder: Path, *titles: str, lexicon: str = "") -> str:
    """Bundle of a domain that has no commands."""
    folder.mkdir()
    lines = (f'{{"id": "entry-{number}", "title": "{title}"}}\n' for number, title in enumerate(titles))
    (folder / "catalogue.jsonl").write_text("".join(lines))
    (folder / "lexicon.txt").write_text(lexicon)
    return str(build_bundle(load_domain(str(folder)), folder.parent))


def write_domain(folder: Path, sentence: str, lexicon: str = "") -> None:
    folder.mkdir()
    (folder / "catalogue.jsonl").write_text('{"id": "tea", "title": "Tea"}\n')
    (folder / "commands.yaml").write_text(f'intents: {{order: {{data: [{{sentences: ["{sentence}"]}}]}}}}\n')
    (folder / "lexicon.txt").write_text(lexicon)
