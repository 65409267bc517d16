import json
from pathlib import Path
from typing import Any

import pytest

from cloud.building.checks.folder import check_domain
from cloud.building.domain import load_domain
from cloud.building.fault import TOLD_MAX
from cloud.building.folder import SHIPPED, shipped_domains
from common.errors import DomainError


def write(folder: Path, *lines: Any) -> str:
    folder.mkdir(exist_ok=True)
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    (folder / "catalogue.jsonl").write_text(text, encoding="utf-8")
    return str(folder)


def fault(folder: str) -> str:
    with pytest.raises(DomainError) as caught:
        load_domain(folder)
    return str(caught.value)


TEA: dict[str, Any] = {"id": "tea", "title": "Tea", "aliases": ["a cup of tea"], "tags": ["drink"]}


def test_a_catalogue_is_read_whole_and_in_order(tmp_path: Path) -> None:
    soup = {"id": "soup", "title": "Soup", "text": "Hot.", "url": "https://example.org/soup"}
    timer = {"id": "timer", "title": "Timer", "action": "timer.start", "data": {"minutes": 10}}
    domain = load_domain(write(tmp_path / "shop", TEA, "", soup, timer, ""))
    assert (domain.name, domain.folder) == ("shop", tmp_path / "shop")
    assert [entry.id for entry in domain.entries] == ["tea", "soup", "timer"]
    assert domain.entries[0].aliases == ("a cup of tea",)
    assert domain.entries[1].url == "https://example.org/soup"
    assert domain.entries[2].data == {"minutes": 10}


def test_a_byte_order_mark_and_windows_line_ends_are_no_fault(tmp_path: Path) -> None:
    (tmp_path / "catalogue.jsonl").write_bytes(b"\xef\xbb\xbf" + json.dumps(TEA).encode() + b"\r\n\r\n")
    assert len(load_domain(str(tmp_path)).entries) == 1


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('{"id": "x", "title": ', "not JSON"),
        ("[]", "must be an object"),
        ("7", "must be an object"),
        ('{"id": "x"}', "the key title is missing"),
        ('{"title": "X"}', "the key id is missing"),
        ('{"id": "x", "title": "X", "alias": []}', "there is no key alias. Did you mean aliases?"),
        ('{"id": "x", "title": "X", "qqqq": []}', "there is no key qqqq."),
        ('{"id": "x", "title": 5}', "title: expected `str`"),
        ('{"id": "x", "title": ""}', "title: expected `str` of length >= 1"),
        ('{"id": "x", "title": "X", "aliases": ["a", 5]}', "aliases[1]: expected `str`"),
        ('{"id": "Not An Id", "title": "X"}', "id: expected `str` matching"),
        ('{"id": "x", "title": "X", "url": "javascript:alert(1)"}', "url: expected `str` matching"),
        ('{"id": "x", "title": "X", "action": "a", "url": "https://a.b"}', "an action and a url"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_broken_line_is_named_by_file_and_number(tmp_path: Path, line: str, what: str) -> None:
    said = fault(write(tmp_path, TEA, line))
    assert said.startswith(f"{tmp_path / 'catalogue.jsonl'}:2: ")
    assert what in said
    assert "\n" not in said


def test_all_broken_lines_are_told_at_once_but_not_without_end(tmp_path: Path) -> None:
    said = fault(write(tmp_path, "{", TEA, "{")).splitlines()
    assert [line.split(": ")[0].rpartition(":")[2] for line in said] == ["1", "3"]
    said = fault(write(tmp_path, *["{"] * (TOLD_MAX + 7))).splitlines()
    assert len(said) == TOLD_MAX + 1
    assert said[-1] == "... and 7 more."


def test_a_repeated_id_is_named_with_both_lines(tmp_path: Path) -> None:
    assert ":3: the id tea is that of line 1 already." in fault(write(tmp_path, TEA, {"id": "b", "title": "B"}, TEA))


def test_text_in_another_encoding_is_named_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "catalogue.jsonl").write_bytes(json.dumps(TEA).encode() + b'\n{"id": "cafe", "title": "Caf\xe9"}\n')
    assert fault(str(tmp_path)).endswith(":2: not UTF-8 text.")


def test_an_empty_catalogue_a_missing_one_a_file_and_nothing_at_all_get_a_sentence(tmp_path: Path) -> None:
    assert "is empty" in fault(write(tmp_path / "empty"))
    (tmp_path / "bare").mkdir()
    assert "bare/catalogue.jsonl: there is no such file" in fault(str(tmp_path / "bare"))
    assert "is a file, but a domain is a folder" in fault(str(tmp_path / "empty" / "catalogue.jsonl"))
    assert "neither a shipped domain nor a folder" in fault(str(tmp_path / "nowhere"))
    assert "Did you mean coffee?" in fault("cofee")
    assert "Shipped domains: coffee, home." in fault("")


def test_a_folder_with_a_bad_name_gets_a_sentence(tmp_path: Path) -> None:
    assert "1 to 64 characters" in fault(write(tmp_path / "bad name", TEA))


def test_the_version_follows_content_and_nothing_else(tmp_path: Path) -> None:
    first = load_domain(write(tmp_path / "a", TEA)).version
    assert len(first) == 12
    assert load_domain(write(tmp_path / "b", TEA)).version == first
    (tmp_path / "b" / ".catalogue.jsonl.swp").write_text("an editor's")
    assert load_domain(str(tmp_path / "b")).version == first
    (tmp_path / "b" / "notes.txt").write_text("Ask about the tea.")
    assert load_domain(str(tmp_path / "b")).version == first
    (tmp_path / "b" / "lexicon.txt").write_text("tea = tee")
    assert load_domain(str(tmp_path / "b")).version != first
    assert load_domain(write(tmp_path / "a", TEA | {"title": "Tee"})).version != first


def test_check_warns_of_what_makes_things_hard_to_find(tmp_path: Path) -> None:
    kettle = {"id": "kettle", "title": "The tea", "aliases": ["kettle"]}
    long = {"id": "long", "title": "word " * 30}
    write(tmp_path, TEA, kettle, long)
    said = [(warning.line, warning.sentence) for warning in check_domain(tmp_path).faults.warnings]
    assert said == [
        (3, "long has no aliases, so it is found by its title alone."),
        (3, "the title of long has 150 characters; a phone shows about 80."),
        (2, 'tea and kettle share the name "Tea" (line 1).'),
    ]


@pytest.mark.parametrize("name", ["home", "coffee"])
def test_what_is_shipped_is_sound(name: str) -> None:
    assert name in shipped_domains()
    domain = load_domain(name)
    faults = check_domain(SHIPPED / name).faults
    assert faults.faults == []
    # Every home has a bedroom and a bathroom.
    assert [warning for warning in faults.warnings if "sound much alike" not in warning.sentence] == []
    assert all(2 <= len(entry.aliases) <= 6 and entry.text for entry in domain.entries)
    assert len(domain.entries) >= {"home": 400, "coffee": 40}[name]
