"""Whisper as it hears the sentences of a domain: our decoder beside the library's, and what a search finds."""

import struct
from pathlib import Path

import ctranslate2
import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from cloud.building.build import build_bundle
from cloud.building.domain import load_domain
from cloud.decoders import Hypothesis, Sentence, Task, whisper_sentences
from cloud.decoders.token_paths import TokenPaths
from cloud.decoders.weights import usable
from cloud.decoders.whisper import Whisper, encoder_input
from cloud.decoders.whisper_decoder import BLOCK, MODEL_FILE, Blocks, State, WhisperDecoder
from cloud.decoders.whisper_guards import Reading
from cloud.decoders.whisper_sentences import best_sentences
from cloud.settings import CloudSettings
from common.errors import EngineError
from edge.speech.log_mel import log_mel
from protos.feature_spec import DEFAULT_SPEC, Levels
from tests.conftest import Speech
from tests.test_spelling import NUMBERS, paths

WIDTH, HEADS, VOCABULARY, POSITIONS = 8, 2, 20, 12


def variable(name: str, values: npt.NDArray[np.generic], dtype: int) -> bytes:
    shape = struct.pack(f"<B{values.ndim}I", values.ndim, *values.shape)
    encoded = name.encode() + b"\0"
    head = struct.pack("<H", len(encoded)) + encoded + shape
    return head + struct.pack("<BI", dtype, values.nbytes) + values.tobytes()


def model_file(draw: np.random.Generator, dtype: type = np.float16, spec: str = "WhisperSpec") -> bytes:
    """A Whisper with one layer, of drawn weights, as CTranslate2 writes it."""
    shapes: dict[str, tuple[int, ...]] = {
        "encoder/conv1/weight": (4, 4),
        "decoder/embeddings/weight": (VOCABULARY, WIDTH),
        "decoder/position_encodings/encodings": (POSITIONS, WIDTH),
    }
    for norm in ("layer_norm", *(f"layer_0/{part}/layer_norm" for part in ("self_attention", "attention", "ffn"))):
        shapes |= {f"decoder/{norm}/gamma": (WIDTH,), f"decoder/{norm}/beta": (WIDTH,)}
    for name, outputs, inputs in (
        ("self_attention/linear_0", 3 * WIDTH, WIDTH),
        ("self_attention/linear_1", WIDTH, WIDTH),
        ("attention/linear_0", WIDTH, WIDTH),
        ("attention/linear_1", 2 * WIDTH, WIDTH),
        ("attention/linear_2", WIDTH, WIDTH),
        ("ffn/linear_0", 4 * WIDTH, WIDTH),
        ("ffn/linear_1", WIDTH, 4 * WIDTH),
    ):
        shapes |= {
            f"decoder/layer_0/{name}/weight": (outputs, inputs),
            f"decoder/layer_0/{name}/bias": (outputs,),
        }
    number = {np.float32: 0, np.int8: 1, np.float16: 4}[dtype]
    variables = [variable(name, (draw.normal(0, 1, shape)).astype(dtype), number) for name, shape in shapes.items()]
    variables.append(variable("decoder/num_heads", np.array(HEADS, np.int16), 2))
    head = struct.pack("<I", 6) + struct.pack("<H", len(spec) + 1) + spec.encode() + b"\0"
    return head + struct.pack("<II", 3, len(variables)) + b"".join(variables)


@pytest.fixture
def small(tmp_path: Path) -> WhisperDecoder:
    (tmp_path / MODEL_FILE).write_bytes(model_file(np.random.default_rng(1)))
    return WhisperDecoder(tmp_path)


@pytest.mark.parametrize("width", [1, BLOCK - 1, BLOCK, 3 * BLOCK + 5])
def test_a_matrix_in_blocks_is_the_same(width: int) -> None:
    draw = np.random.default_rng(3)
    weight, rows = (draw.normal(0, 1, shape).astype(np.float32) for shape in ((7, width), (3, 7)))
    np.testing.assert_allclose(rows @ Blocks(weight), rows @ weight, atol=1e-5)
    np.testing.assert_array_equal(Blocks(weight).columns([width - 1, 0]), weight[:, [width - 1, 0]].T)


def test_readings_side_by_side_are_as_likely_as_each_alone(small: WhisperDecoder) -> None:
    memory = small.memory(np.random.default_rng(2).normal(0, 1, (5, WIDTH)).astype(np.float32))
    texts = [[3, 7, 1], [3, 2, 9], [4, 4, 4]]
    together = small.begin(memory, [0])
    together = small.step(memory, together, [0, 0, 0], [text[0] for text in texts])
    for at in (1, 2):
        together = small.step(memory, together, [0, 1, 2], [text[at] for text in texts])
    for number, text in enumerate(texts):
        alone = small.begin(memory, [0, *text])
        np.testing.assert_allclose(alone.log_probabilities[0], together.log_probabilities[number], atol=1e-5)
    np.testing.assert_allclose(np.exp(together.log_probabilities).sum(axis=1), 1, atol=1e-5)


def test_a_reading_may_part_from_any_parent(small: WhisperDecoder) -> None:
    memory = small.memory(np.ones((2, WIDTH), np.float32))
    state = small.begin(memory, [0])
    state = small.step(memory, state, [0, 0], [5, 6])
    state = small.step(memory, state, [1, 1, 0], [7, 8, 9])
    np.testing.assert_allclose(
        state.log_probabilities[1], small.begin(memory, [0, 6, 8]).log_probabilities[0], atol=1e-5
    )


def test_a_reading_that_does_not_hear_is_the_same_whatever_there_is_to_hear(small: WhisperDecoder) -> None:
    one, other = (small.memory(np.full((2, WIDTH), value, np.float32)) for value in (1.0, -2.0))
    state = small.begin(one, [0])
    here, there = (small.step(memory, state, [0, 0], [5, 5], [True, False]) for memory in (one, other))
    np.testing.assert_allclose(here.log_probabilities[1], there.log_probabilities[1], atol=1e-6)
    assert np.abs(here.log_probabilities[0] - there.log_probabilities[0]).max() > 0.01
    np.testing.assert_allclose(
        here.log_probabilities[0], small.step(one, state, [0], [5]).log_probabilities[0], atol=1e-5
    )


def test_two_may_begin_of_which_the_second_hears_with_the_first_token_only(small: WhisperDecoder) -> None:
    memory, other = (small.memory(np.full((2, WIDTH), value, np.float32)) for value in (1.0, -2.0))
    both = small.begin(memory, [0, 5, 7], deaf=True).log_probabilities
    np.testing.assert_allclose(both[0], small.begin(memory, [0, 5, 7]).log_probabilities[0], atol=1e-5)
    state = small.step(memory, small.begin(memory, [0]), [0], [5], [False])
    np.testing.assert_allclose(both[1], small.step(other, state, [0], [7], [False]).log_probabilities[0], atol=1e-5)
    assert np.abs(both[0] - both[1]).max() > 0.01


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "unpack requires"),
        (model_file(np.random.default_rng(1))[:900], "buffer"),
        (model_file(np.random.default_rng(1), np.int8), "whole numbers"),
        (model_file(np.random.default_rng(1), spec="TransformerSpec"), "it is a TransformerSpec"),
    ],
)
def test_a_file_without_a_decoder_is_told(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / MODEL_FILE).write_bytes(content)
    with pytest.raises(EngineError, match=f"holds no decoder that can be read: .*{why}"):
        WhisperDecoder(tmp_path)


class Parrot:
    """A decoder that would like to say one text, letter by letter, and nearly as much another."""

    def __init__(self, likes: str, or_else: str) -> None:
        self._texts = (likes, or_else)
        self._said: list[str] = [""]
        self.followed: list[str] = []

    def begin(self, memory: object, tokens: object) -> State:
        self._said = [""]
        return self._state()

    def step(self, memory: object, state: State, parents: list[int], tokens: list[int]) -> State:
        self._said = [self._said[parent] + chr(token) for parent, token in zip(parents, tokens, strict=True)]
        self.followed += self._said
        return self._state()

    def _state(self) -> State:
        likely = np.full((len(self._said), 128), -9.0, np.float32)
        for number, said in enumerate(self._said):
            for text, log_probability in zip(self._texts, (-0.1, -1.0), strict=True):
                if text.startswith(said):
                    next_letter = text[len(said) :][:1] or "."
                    likely[number, ord(next_letter)] = max(likely[number, ord(next_letter)], log_probability)
        return State(0, (), (), likely)


def heard(likes: str, or_else: str, minutes: TokenPaths) -> list[str]:
    found = best_sentences(Parrot(likes, or_else), [], [], minutes, [ord(".")])  # type: ignore[arg-type]
    scores = [one.rank for one in found]
    assert scores == sorted(scores, reverse=True)
    return [" ".join(minutes.words(one.tokens)) for one in found]


def test_the_likeliest_sentence_is_found_though_something_else_is_likelier() -> None:
    minutes = paths(NUMBERS)
    assert heard(" I need 25 minutes", " I need 26 minutes", minutes)[:2] == [
        "i need twenty five minutes",
        "i need twenty six minutes",
    ]
    # What is no sentence is never said, however much the decoder would like to.
    assert heard(" I knead 25 minutes", " 25 minuets", minutes)[0] in (
        "i need twenty five minutes",
        "twenty five percent",
    )


def test_what_is_far_behind_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = (" I need 25 minutes", " I need 26 minutes")

    def most_unlikely() -> int:
        """Letters of a reading that was followed beside these texts."""
        parrot = Parrot(*texts)
        best_sentences(parrot, [], [], paths(NUMBERS), [ord(".")])  # type: ignore[arg-type]
        return max(
            sum(not any(text.startswith(said[:end]) for text in texts) for end in range(1, len(said) + 1))
            for said in parrot.followed
            if len(said) <= len(texts[0])
        )

    # A letter is 9 less likely, two are 18.
    assert most_unlikely() == 1
    monkeypatch.setattr(whisper_sentences, "BEHIND_MAX", 1000.0)
    assert most_unlikely() > 1


@pytest.fixture(scope="module")
def weights() -> Path:
    try:
        return usable("tiny.en", CloudSettings().storage.weights_dir)
    except EngineError as error:
        pytest.skip(str(error))


def levels_of(speech: Speech, name: str) -> Levels:
    return DEFAULT_SPEC.quantise(log_mel(soundfile.read(speech.path(name), dtype="int16")[0], DEFAULT_SPEC))


def test_the_librarys_own_words_are_as_likely_to_our_decoder(weights: Path, speech: Speech) -> None:
    whisper, ours = Whisper(str(weights)), WhisperDecoder(weights)
    sound = encoder_input(DEFAULT_SPEC.dequantise(levels_of(speech, "timer")), 800)
    library = ctranslate2.models.Whisper(str(weights), device="cpu", compute_type="float32")
    encoded = library.encode(ctranslate2.StorageView.from_array(sound))
    prompt = whisper._prompt
    said = library.generate(
        encoded, [prompt], beam_size=1, return_scores=True, suppress_tokens=[], suppress_blank=False
    )[0]
    memory = ours.memory(np.array(encoded)[0])
    total, state = 0.0, ours.begin(memory, prompt)
    for token in said.sequences_ids[0]:
        assert state.log_probabilities[0].argmax() == token
        total += float(state.log_probabilities[0, token])
        state = ours.step(memory, state, [0], [token])
    assert total / len(said.sequences_ids[0]) == pytest.approx(said.scores[0], abs=0.03)


@pytest.fixture(scope="module")
def coffee(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(build_bundle(load_domain("coffee"), tmp_path_factory.mktemp("bundles")))


def hear(whisper: Whisper, levels: Levels, bundle: str) -> Hypothesis:
    decoding = whisper.begin(Task("counter", "u1", DEFAULT_SPEC, bundle))
    decoding.feed(levels)
    found = decoding.finish()
    decoding.close()
    return found


@pytest.mark.parametrize(
    ("text", "likely", "is_searched"),
    [
        ("I'd like a large latte with soy milk.", -0.4, False),
        ("I'd like a large latte with soy milk.", -0.6, True),
        ("I'd like a large latte with soil milk.", -0.4, True),
    ],
)
def test_what_is_surely_written_and_a_sentence_is_that_sentence(
    weights: Path, coffee: str, monkeypatch: pytest.MonkeyPatch, text: str, likely: float, is_searched: bool
) -> None:
    asked = []

    def search(*args: object, **more: object) -> list[object]:
        asked.append(args)
        return []

    whisper = Whisper(str(weights), bundles=[coffee])
    monkeypatch.setattr(Whisper, "_read", lambda *args: Reading(text, 11, 40, likely, 0.01))
    monkeypatch.setattr(whisper_sentences, "best_sentences", search)
    found = hear(whisper, np.zeros((100, DEFAULT_SPEC.bands), np.int8), coffee)
    assert bool(asked) == is_searched
    if not is_searched:
        assert found.free_score == pytest.approx(-4.8)
        assert found.sentences == (Sentence("i'd like a large latte with soy milk", found.free_score or 0.0),)


def test_an_order_is_heard_as_one_and_other_talk_is_far_from_any(weights: Path, speech: Speech, coffee: str) -> None:
    whisper = Whisper(str(weights), bundles=[coffee])
    order = hear(whisper, levels_of(speech, "latte"), coffee)
    assert order.sentences[0].text == "i'd like a large latte with soy milk"
    assert order.free_score is not None
    assert order.sentences[0].score > order.free_score - 3
    other = hear(whisper, levels_of(speech, "fuse_box"), coffee)
    assert other.free_score is not None
    assert other.sentences[0].score < other.free_score - 10
    assert hear(whisper, levels_of(speech, "latte"), "").sentences == ()
