"""espeak-ng's opinion of how words are said."""

import logging
from pathlib import Path

import pytest

from cloud.pronouncing import espeak as module
from cloud.pronouncing.espeak import Espeak
from cloud.pronouncing.phones import names, numbers
from cloud.pronouncing.pronouncer import Pronouncer


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Stands for espeak-ng."""
    (folder / "espeak-ng").write_text(f"#!/bin/sh\n{text}\n")
    (folder / "espeak-ng").chmod(0o755)
    monkeypatch.setattr(module, "PROGRAM", str(folder / "espeak-ng"))


@pytest.mark.skipif(not Espeak.installed(), reason="espeak-ng is not installed")
def test_its_sounds_are_the_models_phones() -> None:
    words = ["cat", "church", "bird", "square", "measure", "fire", "boy", "thing"]
    assert [names(phones) for phones in Espeak().guess(words)] == [
        "K AE T", "CH ER CH", "B ER D", "S K W EH R", "M EH ZH ER", "F AY ER", "B OY", "TH IH NG",
    ]  # fmt: skip
    assert Espeak.version().startswith("espeak-ng 1.")


def test_what_it_says_is_mapped_line_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, 'cat >/dev/null; echo " _k_\'a_t"; echo " s_k_w_\'e@_r z#?"; echo')
    assert [names(phones) for phones in Espeak().guess(["cat", "square", "x"])] == ["K AE T", "S K W EH R", ""]


@pytest.mark.parametrize("text", ["exit 1", "cat >/dev/null; echo one line only", "kill -9 $$"])
def test_where_it_fails_a_word_has_no_second_opinion_and_the_log_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    program(tmp_path, monkeypatch, text)
    with caplog.at_level(logging.WARNING):
        assert Espeak().guess(["cat", "dog"]) == [b"", b""]
    assert "espeak-ng" in caplog.text
    assert "cat" not in caplog.text


def test_a_pronouncer_says_by_what_it_guesses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, 'echo "eSpeak NG text-to-speech: 1.99.1  Data at: /nowhere"')
    assert Pronouncer().guessed_by == "table 1, " + module.PROGRAM + " 1.99.1"
    assert Pronouncer(alone=True).guessed_by == "table 1"
    (tmp_path / "espeak-ng").unlink()
    assert Pronouncer().guessed_by == "table 1"


def test_the_second_opinion_is_first_where_the_table_agrees_and_among_them_anyway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = Pronouncer(alone=True).pronounce(["parrotlet"])["parrotlet"].variants
    # What the table finds second, and what it would never say.
    sounds = {names(alone[1]): alone[1], "M UW": numbers("M UW")}
    phonemes = {"P": "p", "EH": "E", "R": "r", "AH": "@", "T": "t", "L": "l", "IH": "I", "M": "m", "UW": "u:"}
    for said, phones in sounds.items():
        line = "_".join(phonemes[phone] for phone in said.split())
        program(tmp_path, monkeypatch, f"cat >/dev/null; echo {line}")
        found = Pronouncer().pronounce(["parrotlet"])["parrotlet"].variants
        assert phones in found
        assert (found[0] == phones) == (said != "M UW")


def test_strictly_a_sound_that_american_english_has_not_is_refused() -> None:
    assert module.mapped("t_'eI_k m_,i: ", strict=True) == numbers("T EY K M IY")
    assert module.mapped("t_??_k") == numbers("T K")
    with pytest.raises(KeyError, match="aI2"):
        module.mapped("t_aI2_k", strict=True)
