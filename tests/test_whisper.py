"""Whisper's own way with frames; with its real weights where they are fetched."""

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import ctranslate2
import numpy as np
import pytest
import soundfile
import tokenizers

from cloud.decoders import Name, Task
from cloud.decoders.weights import usable
from cloud.decoders.whisper import (
    FIRST_FRAMES,
    STRETCH_FRAMES,
    WINDOW_FRAMES,
    Heard,
    Known,
    Whisper,
    WhisperDecoding,
    encoder_input,
    hypothesis,
    prompt,
    stretches,
)
from cloud.decoders.whisper_guards import Reading
from cloud.settings import CloudSettings
from common.errors import EngineError
from edge.speech.log_mel import log_mel
from protos.feature_spec import DEFAULT_SPEC, LogMel
from tests.conftest import Speech


def said(text: str, no_speech: float = 0.05) -> Reading:
    return Reading(text, tokens=6, tokens_max=20, log_probability=-0.2, no_speech=no_speech)


def test_the_encoder_gets_what_whisper_was_trained_on() -> None:
    sound = np.array([[-6.0, 2.0], [-7.0, 1.0]], np.float32)
    given = encoder_input(sound, 4)
    assert given.shape == (1, 2, 4)
    # At most 8 below the loudest, then (x + 4) / 4; padding is 0.
    assert given[0, 0].tolist() == [-0.5, -0.5, 0.0, 0.0]
    assert given[0, 1].tolist() == [1.5, 1.25, 0.0, 0.0]


def test_long_speech_is_cut_at_its_quietest_place_and_nothing_is_lost() -> None:
    sound = np.random.default_rng(1).normal(0, 0.1, (2 * WINDOW_FRAMES, 80)).astype(np.float32)
    sound[600:620] = -3
    # One quiet frame is no pause.
    sound[500] = -5
    pieces = list(stretches(sound))
    assert 600 < len(pieces[0]) < 620
    assert all(len(piece) <= STRETCH_FRAMES for piece in pieces)
    np.testing.assert_array_equal(np.concatenate(pieces), sound)
    assert list(stretches(sound[:0])) == []


class CountingReader:
    """Reads anything, and remembers how much."""

    model = "none"

    def __init__(self) -> None:
        self.read_frames: list[int] = []

    def read(self, log_mel: LogMel, bundle: str = "") -> Heard:
        self.read_frames.append(len(log_mel))
        return Heard(said("Hello."))


def test_what_was_read_at_a_pause_is_not_read_again() -> None:
    reader, known = CountingReader(), Known()
    levels = np.random.default_rng(1).integers(0, DEFAULT_SPEC.levels, (2500, 80)).astype(np.int8)
    for end in (1500, 2500):
        decoding = WhisperDecoding(cast(Whisper, reader), Task("kitchen", "u1", DEFAULT_SPEC), known)
        decoding.feed(levels[:end])
        assert decoding.finish().transcript.startswith("Hello.")
    # All but the last stretch before the pause stands; that one is read again, with what follows.
    assert sum(reader.read_frames) < 1500 + 2500 - STRETCH_FRAMES // 2
    assert reader.read_frames.count(reader.read_frames[0]) == 1


def test_a_silent_stretch_among_others_is_passed_over() -> None:
    heard = [Heard(reading) for reading in (said("Turn on"), said("Thank you.", no_speech=0.9), said("the light."))]
    found = hypothesis("tiny.en", heard)
    assert (found.transcript, found.doubts) == ("Turn on the light.", ())
    assert hypothesis("tiny.en", [Heard(said("you", no_speech=0.9))]).doubts == ("no_speech", "ghost")
    assert hypothesis("tiny.en", []).doubts == ("no_speech",)


def test_names_that_were_listened_for_are_alternatives() -> None:
    names = tuple(Name(name, f"Take me to {name}", -number) for number, name in enumerate(("Kure", "Cuba", "Q", "Coo")))
    whole = Heard(said("Take me to cure."), names=names)
    found = hypothesis("tiny.en", [whole], whole)
    assert found.names == names
    assert [other.transcript for other in found.alternatives] == ["Take me to Kure", "Take me to Cuba", "Take me to Q"]


def test_a_multilingual_model_is_told_the_language() -> None:
    assert prompt(False) == ["<|startoftranscript|>", "<|notimestamps|>"]
    assert prompt(True) == ["<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>"]
    assert prompt(True, "de") == ["<|startoftranscript|>", "<|de|>", "<|transcribe|>", "<|notimestamps|>"]


def test_a_folder_without_weights_is_told(tmp_path: object) -> None:
    with pytest.raises(EngineError, match="holds no Whisper weights that can be loaded"):
        Whisper(str(tmp_path))


class Library:
    """A library that loads anything, and reads as the test says."""

    def __init__(self, outcome: RuntimeError | float = -0.5, *, is_multilingual: bool = False) -> None:
        self.outcome = outcome
        self.is_multilingual = is_multilingual
        self.windows: list[tuple[int, ...]] = []
        self.prompts: list[list[int]] = []

    def encode(self, features: ctranslate2.StorageView) -> None:
        self.windows.append(tuple(features.shape))
        if isinstance(self.outcome, RuntimeError):
            raise self.outcome

    def detect_language(self, encoded: None) -> list[list[tuple[str, float]]]:
        return [[("<|th|>", 0.6), ("<|de|>", 0.3), ("<|en|>", 0.1)]]

    def generate(self, encoded: None, prompts: list[list[int]], **options: Any) -> Any:
        self.prompts += prompts
        return [SimpleNamespace(sequences_ids=[[0]], scores=[self.outcome], no_speech_prob=0.5)]


TOKENS = ("hello", "<|startoftranscript|>", "<|notimestamps|>", "<|endoftext|>", "<|transcribe|>", "<|en|>", "<|de|>")


def loaded_by(patch: pytest.MonkeyPatch, folder: Path, library: Library) -> Library:
    """From now on, the library that loads that folder, in which there is a tokenizer."""
    words = {token: number for number, token in enumerate(TOKENS)}
    tokenizers.Tokenizer(tokenizers.models.WordLevel(words, "hello")).save(str(folder / "tokenizer.json"))
    patch.setattr(ctranslate2.models, "Whisper", lambda *arguments, **options: library)
    return library


@pytest.mark.parametrize(("languages", "wanted"), [(("en",), "en"), (("de",), "de"), (("en", "de"), "de")])
def test_the_language_is_the_one_that_is_set_or_of_several_the_one_that_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, languages: tuple[str, ...], wanted: str
) -> None:
    library = loaded_by(monkeypatch, tmp_path, Library(is_multilingual=True))
    Whisper(str(tmp_path), languages=languages)
    assert [TOKENS[token] for token in library.prompts[-1]] == prompt(True, wanted)


@pytest.mark.parametrize(("is_multilingual", "language"), [(True, "tlh"), (False, "de")])
def test_a_language_that_the_weights_do_not_know_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_multilingual: bool, language: str
) -> None:
    loaded_by(monkeypatch, tmp_path, Library(is_multilingual=is_multilingual))
    with pytest.raises(EngineError, match=f"does not know the language {language}"):
        Whisper(str(tmp_path), languages=(language,))


def test_a_device_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="that can be loaded on cuda as float16: "):
        Whisper(str(tmp_path), device="cuda", compute_type="float16")


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (RuntimeError("could not create a primitive"), "cannot read on this machine: could not create a primitive"),
        (float("nan"), "no numbers"),
        (-0.5, None),
    ],
)
def test_one_that_loads_and_cannot_compute_is_told_before_anybody_speaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outcome: RuntimeError | float, why: str | None
) -> None:
    library = loaded_by(monkeypatch, tmp_path, Library(outcome))
    with pytest.raises(EngineError, match=why) if why else nullcontext():
        Whisper(str(tmp_path))
    # Once, in a short window.
    assert library.windows == [(1, 80, FIRST_FRAMES)]


@pytest.fixture(scope="module")
def whisper() -> Whisper:
    try:
        return Whisper(str(usable("tiny.en", CloudSettings().storage.weights_dir)))
    except EngineError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(
    ("name", "words"), [("timer", "Set a timer for 10 minutes."), ("weather", "weather"), ("fuse_box", "fuse box")]
)
def test_the_real_one_writes_down_what_is_said(whisper: Whisper, speech: Speech, name: str, words: str) -> None:
    decoding = whisper.begin(Task("kitchen", "u1", DEFAULT_SPEC, ""))
    levels = DEFAULT_SPEC.quantise(log_mel(soundfile.read(speech.path(name), dtype="int16")[0], DEFAULT_SPEC))
    for start in range(0, len(levels), 10):
        assert decoding.feed(levels[start : start + 10]) is None
    found = decoding.finish()
    assert words in found.transcript
    assert (found.engine, found.model, found.doubts) == ("whisper", "tiny.en", ())


@pytest.mark.parametrize("level", [0, 300])
def test_the_real_one_finds_no_words_in_silence_and_noise(whisper: Whisper, level: int) -> None:
    samples = (np.random.default_rng(4).standard_normal(3 * 16_000) * level).astype(np.int16)
    decoding = whisper.begin(Task("kitchen", "u1", DEFAULT_SPEC, ""))
    decoding.feed(DEFAULT_SPEC.quantise(log_mel(samples, DEFAULT_SPEC)))
    assert {"no_speech", "ghost"}.intersection(decoding.finish().doubts)
