from pathlib import Path

import pytest

from cloud.decoders.sphinx_kind import OPEN_SPEECH, Kind, grammar_words, kind_of
from common.errors import DomainError


def test_a_folder_without_a_grammar_is_open_speech(tmp_path: Path) -> None:
    assert kind_of(str(tmp_path)) == OPEN_SPEECH


def test_a_changed_grammar_is_another_kind(tmp_path: Path) -> None:
    (tmp_path / "grammar.jsgf").write_text("one")
    before = kind_of(str(tmp_path))
    (tmp_path / "grammar.jsgf").write_text("two")
    (tmp_path / "dictionary.txt").write_text("dos D OW S")
    assert kind_of(str(tmp_path)) == Kind(str(tmp_path), "two", "dos D OW S") != before


def test_a_grammar_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "grammar.jsgf").write_bytes(b"\xff\xfe")
    with pytest.raises(DomainError, match=f"^{tmp_path}/grammar.jsgf: not UTF-8 text.$"):
        kind_of(str(tmp_path))


def test_the_words_of_a_grammar_are_those_that_are_spoken() -> None:
    grammar = """#JSGF V1.0;
    grammar menu;
    // not spoken; neither this
    /* nor; this */
    public <order> = [i'd like] /0.5/ <drink> {a tag} | tea-time;
    <drink> = (small | large) tea;
    """
    assert grammar_words(grammar) == ["i'd", "like", "tea-time", "small", "large", "tea"]
