"""Wake words: which there are, that they hear what they should, and what leaves the board before."""

import io
import shutil
import sqlite3
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from common.errors import ModelError
from common.settings import Loaded, load
from common.supervision import Supervision
from edge.__main__ import main
from edge.asking.recogniser import Listener
from edge.board.daemon import serve
from edge.console import Console
from edge.local import micro_wake_word
from edge.local.micro_wake_word import MicroWakeWord
from edge.local.model import Model
from edge.local.own_wake_word import LAG_MS, OwnWakeWord
from edge.local.wake_words import open_wake_word
from edge.settings import EdgeSettings
from edge.sound.audio_file import AudioFile
from edge.sound.player import Player
from edge.sound.source import BLOCK_SAMPLES, Samples
from edge.speech.utterance import UtteranceHead
from edge.spool.spool import FILE_NAME
from protos.feature_spec import DEFAULT_SPEC
from protos.model_card import CARD_FILE, read_model_card, write_model_card
from tests.edge_fakes import FakeRecogniser, FakeStream
from tests.test_daemon import Notes
from tests.tones import MODELS, TONES

PHRASES = Path(__file__).with_name("wake") / "okay_nabu.flac"
"""what's the weather | okay nabu | stop | okay nabu what's the weather | stop, two seconds between."""

ENDS_S = (1.1, 3.9, 6.25, 9.7, 12.3)
"""Of the five."""


def settings(**options: Any) -> Loaded[EdgeSettings]:
    return load(EdgeSettings, file=None, environment={}, environment_prefix="X", options=options)


def hiss(low_hz: float, high_hz: float, seconds: float) -> Samples:
    """Noise of a band."""
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(round(seconds * 16_000)))
    hz = np.linspace(0, 8000, len(spectrum))
    sound = np.fft.irfft(np.where((hz >= low_hz) & (hz < high_hz), spectrum, 0))
    return np.rint(3000 * sound / np.abs(sound).max()).astype(np.int16)


LOW, BETWEEN, HIGH = (50, 800), (1500, 6000), (3000, 8000)
"""Not the phrase; 0.6 of it; all of it."""


def heard_after_s(word: OwnWakeWord | MicroWakeWord, samples: Samples) -> list[float]:
    """When the phrase was heard; it is reset then, as the board does."""
    found = []
    for start in range(0, len(samples) - BLOCK_SAMPLES + 1, BLOCK_SAMPLES):
        if word.hear(samples[start : start + BLOCK_SAMPLES]):
            found.append((start + BLOCK_SAMPLES) / 16_000)
            word.reset()
    return found


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A model of kind wake: its phrase is anything high."""
    folder = Path(shutil.copytree(TONES, tmp_path / "models" / "whistle"))
    card = read_model_card(folder / CARD_FILE)
    whistle = msgspec.structs.replace(card.commands["yes"], text="a whistle")
    write_model_card(folder / CARD_FILE, msgspec.structs.replace(card, kind="wake", commands={"yes": whistle}))
    return folder


def test_a_phrase_of_ones_own_is_heard_in_sound_as_it_comes(own: Path) -> None:
    word = OwnWakeWord(own, DEFAULT_SPEC, 0.0)
    assert word.phrase == "a whistle"
    assert heard_after_s(word, np.concatenate([hiss(*LOW, 2), np.zeros(16_000, np.int16)])) == []
    (after_s, *_) = heard_after_s(word, np.concatenate([np.zeros(16_000, np.int16), hiss(*HIGH, 2)]))
    assert 1.3 < after_s < 2.3


def test_a_threshold_that_is_set_overrules_the_cards(own: Path) -> None:
    word = OwnWakeWord(own, DEFAULT_SPEC, 0.0)
    heard_after_s(word, hiss(*BETWEEN, 1.2))
    between = word.probability
    assert 0.01 < between < 0.8
    assert not heard_after_s(OwnWakeWord(own, DEFAULT_SPEC, between + 0.01), hiss(*BETWEEN, 1.2))
    assert heard_after_s(OwnWakeWord(own, DEFAULT_SPEC, between - 0.01), hiss(*BETWEEN, 1.2))


def test_what_was_heard_before_a_reset_counts_no_more(own: Path) -> None:
    word = OwnWakeWord(own, DEFAULT_SPEC, 0.0)
    assert heard_after_s(word, hiss(*HIGH, 0.9)) == []
    assert heard_after_s(word, hiss(*HIGH, 0.9))
    word.reset()
    assert heard_after_s(word, hiss(*HIGH, 0.9)) == []
    word.reset()
    assert heard_after_s(word, hiss(*HIGH, 0.9)) == []


def test_how_late_a_phrase_is_heard_is_the_cards_to_say(own: Path) -> None:
    assert OwnWakeWord(own, DEFAULT_SPEC, 0.0).lag_ms == LAG_MS
    card = read_model_card(own / CARD_FILE)
    point = msgspec.structs.replace(card.operating_points["default"], lag_ms=0)
    write_model_card(own / CARD_FILE, msgspec.structs.replace(card, operating_points={"default": point}))
    assert OwnWakeWord(own, DEFAULT_SPEC, 0.0).lag_ms == 0


def test_a_folder_names_a_phrase_of_ones_own(own: Path) -> None:
    loaded = settings(**{"wake.phrase": "whistle", "local.model_dir": str(own.parent)})
    assert isinstance(open_wake_word(loaded.settings, DEFAULT_SPEC), OwnWakeWord)


def test_a_phrase_that_nobody_knows_is_refused_with_those_there_are() -> None:
    with pytest.raises(ModelError, match=r"no wake word 'hello': there are okay nabu, hey jarvis, hey mycroft, alexa"):
        open_wake_word(settings(**{"wake.phrase": "hello"}).settings, DEFAULT_SPEC)


def test_a_model_of_commands_is_no_wake_word() -> None:
    loaded = settings(**{"wake.phrase": "tones", "local.model_dir": str(MODELS)})
    with pytest.raises(ModelError, match="this is a model for commands, not for a wake word"):
        open_wake_word(loaded.settings, DEFAULT_SPEC)


def test_where_the_library_is_not_installed_one_sentence_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymicro_wakeword", None)
    with pytest.raises(ModelError, match=r"pip install pymicro-wakeword, or set activation\.mode to always or button"):
        MicroWakeWord("okay nabu", 0.0)


@pytest.fixture
def micro() -> MicroWakeWord:
    pytest.importorskip("pymicro_wakeword")
    return MicroWakeWord("okay nabu", 0.0)


def samples_of(file: Path) -> Samples:
    return np.concatenate([block.samples for block in AudioFile(str(file)).blocks()])


def test_a_common_phrase_is_heard_each_time_it_is_said_and_nowhere_else(micro: MicroWakeWord) -> None:
    first, second = heard_after_s(micro, samples_of(PHRASES))
    assert first == pytest.approx(ENDS_S[1], abs=0.3)
    assert ENDS_S[2] + 2 < second < ENDS_S[3]


def test_all_common_phrases_open_and_are_silent_about_the_others() -> None:
    pytest.importorskip("pymicro_wakeword")
    for phrase in micro_wake_word.PHRASES:
        word = MicroWakeWord(phrase, 0.0)
        assert word.phrase == phrase
        assert bool(heard_after_s(word, samples_of(PHRASES))) == (phrase == "okay nabu")


def test_a_threshold_that_is_never_reached_hears_nothing() -> None:
    pytest.importorskip("pymicro_wakeword")
    assert heard_after_s(MicroWakeWord("okay nabu", 0.999), samples_of(PHRASES)) == []


def test_its_interpreter_and_the_boards_live_in_one_process(micro: MicroWakeWord) -> None:
    model = Model(TONES, DEFAULT_SPEC)
    levels = np.zeros((98, 80), np.int8)
    for _ in range(3):
        assert model.probabilities(levels, 10).argmax() == 0
        micro.hear(np.zeros(BLOCK_SAMPLES, np.int16))
    assert len(heard_after_s(micro, samples_of(PHRASES))) == 2
    assert model.probabilities(levels, 10).argmax() == 0


class Recorder(FakeRecogniser):
    """Notes when utterances begin."""

    def __init__(self) -> None:
        super().__init__(at_once=False)
        self.began_s: list[float] = []

    def start(self, head: UtteranceHead, listener: Listener) -> FakeStream:
        self.began_s.append(head.stream_start_ms / 1000)
        return super().start(head, listener)


def test_nothing_is_sent_or_kept_but_what_follows_the_phrase(micro: MicroWakeWord, tmp_path: Path) -> None:
    """The daemon, from a file to its spool."""
    del micro
    never, recogniser = threading.Event(), Recorder()
    options = {"activation.mode": "wake", "device.runtime_dir": str(tmp_path), "device.state_dir": str(tmp_path)}
    serve(
        settings(**options),
        Player(AudioFile(str(PHRASES))),
        recogniser,
        lambda timeout_s: None if never.wait(min(timeout_s, 0.02)) else None,
        Supervision(Notes()),
        Console(io.StringIO()),
        0.1,
    )
    alone_s, in_one_breath_s = recogniser.began_s
    assert alone_s >= ENDS_S[1]
    # The phrase takes half a second.
    assert ENDS_S[2] + 2.4 < in_one_breath_s < ENDS_S[3]
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as database:
        assert database.execute("SELECT count(*) FROM utterances").fetchone() == (2,)


@pytest.mark.parametrize(("phrase", "status"), [("whistle", 0), ("hello", 2)])
def test_config_check_names_a_wake_word_that_there_is_not(own: Path, phrase: str, status: int) -> None:
    asked = ["config", "--check", "--activation", "wake", "--wake-phrase", phrase, "--model-dir", str(own.parent)]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == status
    assert ("There is no wake word" in result.output) == (status == 2)
