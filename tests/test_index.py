import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cloud.building.catalogue import Entry
from cloud.building.domain import Domain
from cloud.finding import index_tables
from cloud.finding.index import SqliteIndex, build, open_index
from common.errors import DomainError

ENTRIES = (
    Entry(id="tea", title="Green tea", aliases=("brewing tea",), tags=("drink",), text="Two minutes."),
    Entry(id="coffee", title="Coffee", aliases=("a cup of coffee",), tags=("drink",), text="Better than tea?"),
    Entry(id="kettle", title="Descale a kettle", action="help.kettle"),
)


def domain(version: str = "0123456789ab", entries: tuple[Entry, ...] = ENTRIES) -> Domain:
    return Domain(name="shop", folder=Path("shop"), version=version, entries=entries)


def ids(index: SqliteIndex, *stems: str) -> list[str]:
    return [entry.id for entry in index.matching(stems, 10)]


@pytest.fixture(params=["memory", "file"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqliteIndex]:
    with closing(open_index(domain(), tmp_path if request.param == "file" else None)) as opened:
        yield opened


def test_what_was_put_in_is_found_by_any_of_its_words(index: SqliteIndex) -> None:
    assert (index.domain, index.version, index.size) == ("shop", "0123456789ab", 3)
    assert ids(index, "descal") == ["kettle"]
    assert set(ids(index, "drink")) == {"tea", "coffee"}
    assert ids(index, "nothing") == []
    tea = index.matching(["green"], 1)[0]
    assert tea.names == (("green", "tea"), ("brew", "tea"))
    assert tea.body == {"drink", "2", "minut"}


def test_a_word_in_a_title_ranks_above_one_in_a_text(index: SqliteIndex) -> None:
    assert ids(index, "tea") == ["tea", "coffee"]


def test_names_are_found_whole_and_in_any_order(index: SqliteIndex) -> None:
    assert [entry.id for entry in index.named(["kettl", "descal"], 5)] == ["kettle"]
    assert index.named(["kettl"], 5) == []


def test_frequencies_count_names_and_tags_but_not_texts(index: SqliteIndex) -> None:
    assert index.frequencies(["tea", "drink", "coffe", "better"]) == {"tea": 1, "drink": 2, "coffe": 1}


def test_misheard_words_are_near_by_letters_and_by_sound(index: SqliteIndex) -> None:
    assert index.spelled_like("ketle")["kettle"] == "kettl"
    assert index.sounding_like("cuttle") == {"kettle": "kettl"}
    assert index.sounding_like("7") == {}


def test_a_version_that_is_there_is_not_built_again(tmp_path: Path) -> None:
    path = build(domain(), tmp_path / "new" / "folder")
    before = path.stat()
    os.utime(path, (0, 0))
    assert build(domain(), tmp_path / "new" / "folder") == path
    assert path.stat().st_ino == before.st_ino
    # Somebody uses it.
    assert path.stat().st_mtime > 0
    assert [file.name for file in path.parent.iterdir()] == ["shop-0123456789ab.sqlite"]


@pytest.mark.parametrize("damage", ["empty", "garbage", "cut", "middle", "schema", "other"])
def test_a_damaged_or_old_file_is_built_again(tmp_path: Path, damage: str) -> None:
    path = build(domain(), tmp_path)
    whole = path.read_bytes()
    if damage in ("schema", "other"):
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE about SET schema = -1" if damage == "schema" else "DROP TABLE about")
    else:
        middle = whole[:8192] + b"\xff" * (len(whole) - 8192)
        path.write_bytes(
            {"empty": b"", "garbage": b"x" * 5000, "cut": whole[: len(whole) // 2], "middle": middle}[damage]
        )
    with closing(open_index(domain(), tmp_path)) as index:
        assert ids(index, "green") == ["tea"]


def test_whoever_has_the_old_file_open_goes_on_with_it(tmp_path: Path) -> None:
    with closing(open_index(domain(), tmp_path)) as old:
        path = tmp_path / "shop-0123456789ab.sqlite"
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE about SET schema = -1")
        with closing(open_index(domain(entries=ENTRIES[:1]), tmp_path)) as new:
            assert (ids(old, "descal"), ids(new, "descal")) == (["kettle"], [])


def test_versions_lie_side_by_side(tmp_path: Path) -> None:
    assert build(domain("a" * 12), tmp_path) != build(domain("b" * 12), tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    with (
        closing(open_index(domain(), tmp_path)) as reader,
        pytest.raises(DomainError, match="readonly"),
    ):
        reader._rows("DELETE FROM entry")


def test_damage_found_while_searching_gets_a_sentence(tmp_path: Path) -> None:
    with closing(open_index(domain(), tmp_path)) as reader:
        path = tmp_path / "shop-0123456789ab.sqlite"
        path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 100_000)
        with pytest.raises(DomainError, match="index of domain shop is damaged"):
            ids(reader, "green")


def test_a_folder_that_cannot_be_written_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DomainError, match="the index cannot be written"):
        build(domain(), tmp_path / "file")


def test_a_word_of_many_texts_is_looked_for_in_names_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    told = tuple(Entry(id=f"told{number}", title="Something", text="Nice with milk.") for number in range(5))
    named = Entry(id="milk", title="Oat milk", text="Nice.")
    monkeypatch.setattr(index_tables, "COMMON_ROWS", 4)
    with closing(open_index(domain(entries=(*told, named)))) as index:
        assert ids(index, "milk") == ["milk"]
    monkeypatch.setattr(index_tables, "COMMON_ROWS", 6)
    with closing(open_index(domain(entries=(*told, named)))) as index:
        assert len(ids(index, "milk")) == 6


def test_of_letters_that_many_words_share_the_rare_ones_are_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """One name shares rare letters with what was heard, and a hundred others common ones."""
    others = tuple(
        Entry(id=f"e{number}", title=f"{chr(97 + number % 26)}{chr(97 + number // 26)}qtle") for number in range(100)
    )
    monkeypatch.setattr("cloud.finding.index.SPELLED_MAX", 5)
    with closing(open_index(domain(entries=(*ENTRIES, *others)))) as index:
        found = index.spelled_like("kettqtle")
        assert found["kettle"] == "kettl"
        assert len(found) < 5
        assert index.spelled_like("xyzw") == {}
