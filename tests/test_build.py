"""What is built of a domain's folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cloud.building import build
from cloud.building.build import build_bundle, make_bundle
from cloud.building.bundle import read_bundle
from cloud.building.domain import Domain, load_domain
from cloud.building.example_folder import EXAMPLE
from cloud.pronouncing.phones import names


def built(folder: Path, seed: str) -> dict[str, bytes]:
    """The files that another process makes."""
    command = [sys.executable, "-m", "cloud.building", str(EXAMPLE), str(folder), str(folder)]
    subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": seed}, check=True, timeout=60)
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_the_same_folder_is_built_to_the_same_bytes(tmp_path: Path) -> None:
    first, second = built(tmp_path / "a", "1"), built(tmp_path / "b", "2")
    assert len(first) == 2
    assert first == second


def test_what_is_there_is_not_built_again_and_what_is_damaged_is(tmp_path: Path) -> None:
    domain = load_domain(str(EXAMPLE))
    file = build_bundle(domain, tmp_path)
    written = file.stat().st_ino
    os.utime(file, (0, 0))
    assert build_bundle(domain, tmp_path) == file
    assert file.stat().st_ino == written
    # Somebody uses it.
    assert file.stat().st_mtime > 0
    whole = file.read_bytes()
    # As another process sees it.
    read_bundle.cache_clear()
    file.write_bytes(whole[:-20])
    assert build_bundle(domain, tmp_path).read_bytes() == whole


def test_names_that_nobody_can_say_are_left_out_and_the_others_are_listened_for(tmp_path: Path) -> None:
    (tmp_path / "catalogue.jsonl").write_text(
        '{"id": "tokyo", "title": "東京", "aliases": ["Tokyo", "Tōkyō"]}\n', encoding="utf-8"
    )
    domain: Domain = load_domain(str(tmp_path))
    words = make_bundle(domain).network.words()
    assert {"tokyo", "tōkyō"} <= words
    assert "東京" not in words
    (tmp_path / "lexicon.txt").write_text("東京 = toe key oh\n", encoding="utf-8")
    bundle = make_bundle(load_domain(str(tmp_path)))
    assert "東京" in bundle.network.words()
    assert bundle.pronunciations["東京"] == ("T OW K IY OW",)


def test_a_domain_too_large_for_a_graph_has_none_and_that_is_known_before_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "catalogue.jsonl").write_text('{"id": "tea", "title": "Tea"}\n')
    (tmp_path / "commands.yaml").write_text(
        "intents: {a: {data: [{sentences: ['go {x} there', 'stay {x} here']}]}}\nlists: {x: {values: [a, b, c d]}}\n"
    )
    domain = load_domain(str(tmp_path))
    assert make_bundle(domain).graph is not None
    monkeypatch.setattr(build, "word_graph", None)
    monkeypatch.setattr(build, "EXPANDED_MAX", 7)
    assert make_bundle(domain).graph is None


def test_a_domain_shows_what_may_be_said_by_its_own_examples_or_by_drawn_ones(tmp_path: Path) -> None:
    (tmp_path / "catalogue.jsonl").write_text('{"id": "tea", "title": "Green tea"}\n')
    assert make_bundle(load_domain(str(tmp_path))).examples == ("Green tea",)
    intents = "intents: {a: {data: [{sentences: ['go {x} there']}]}, b: {data: [{sentences: [stop it]}]}}\n"
    lists = "lists: {x: {values: [straight]}}\n"
    (tmp_path / "commands.yaml").write_text(intents + lists)
    assert make_bundle(load_domain(str(tmp_path))).examples == ("go straight there", "stop it")
    (tmp_path / "commands.yaml").write_text(intents + lists + "examples: [Stop it!]\n")
    assert make_bundle(load_domain(str(tmp_path))).examples == ("Stop it!",)


def test_open_speech_gets_the_names_as_words_with_how_each_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "catalogue.jsonl").write_text(
        '{"id": "tea", "title": "Green Tea, 2 cups!", "aliases": ["東京"]}\n', encoding="utf-8"
    )
    phrases = make_bundle(load_domain(str(tmp_path))).phrases
    assert {phrase: names(phones) for phrase, phones in phrases.items()} == {
        "green tea two cups": "G R IY N T IY T UW K AH P S"
    }
    # Where only sentences are listened for nobody needs them.
    assert make_bundle(load_domain("coffee")).phrases == {}
    monkeypatch.setattr(build, "PHRASES_MAX", 0)
    assert make_bundle(load_domain(str(tmp_path))).phrases == {}
