"""Lists that outlive a restart."""

from pathlib import Path

import pytest

from common.errors import ActionError
from edge.actions import lists as lists_module
from edge.actions.lists import CHARACTERS_MAX, ITEMS_MAX, LISTS_MAX, Lists


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "lists.json"


def test_what_is_added_is_there_after_a_restart_in_order_and_once(file: Path) -> None:
    lists = Lists(file)
    assert lists.add("shopping", "  milk ")
    assert lists.add("shopping", "dark  bread")
    assert not lists.add("shopping", "Milk")
    assert lists.add("todo", "milk")
    assert Lists(file).all() == {"shopping": ["milk", "dark bread"], "todo": ["milk"]}
    assert Lists(file).items("shopping") == ["milk", "dark bread"]
    assert Lists(file).items("none") == []
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_list_that_is_cleared_is_gone_and_the_others_stay(file: Path) -> None:
    lists = Lists(file)
    lists.add("shopping", "milk")
    lists.add("todo", "homework")
    assert lists.clear("shopping") == 1
    assert lists.clear("shopping") == 0
    assert Lists(file).all() == {"todo": ["homework"]}
    assert b"milk" not in file.read_bytes()


def test_lists_are_bounded_and_no_word_is_told_by_the_refusal(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists_module, "ITEMS_MAX", 2)
    monkeypatch.setattr(lists_module, "LISTS_MAX", 2)
    lists = Lists(file)
    for item in ("a", "b"):
        lists.add("secret", item)
    with pytest.raises(ActionError, match="The list is full: it has 2 items"):
        lists.add("secret", "c")
    lists.add("other", "a")
    for name in ("third", "x" * (CHARACTERS_MAX + 1)):
        with pytest.raises(ActionError, match="There are 2 lists already") as caught:
            lists.add(name, "word")
        assert "word" not in str(caught.value)
    lists.clear("other")
    assert lists.add("third", "x" * 1000)
    assert lists.items("third") == ["x" * CHARACTERS_MAX]
    assert (ITEMS_MAX, LISTS_MAX) == (200, 16)


@pytest.mark.parametrize("content", [b"{", b'{"shopping": [1]}', b"[]", b"\xff"])
def test_a_file_that_cannot_be_read_is_kept_beside_and_told(
    file: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    lists = Lists(file)
    assert lists.all() == {}
    assert "the lists cannot be read" in caplog.text
    lists.add("shopping", "milk")
    assert (file.parent / "lists.json.damaged").read_bytes() == content


def test_a_disk_that_takes_nothing_changes_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lists = Lists(file)
    lists.add("shopping", "milk")

    def full(*what: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lists_module, "write_private", full)
    with pytest.raises(ActionError, match="No space left on device"):
        lists.add("shopping", "bread")
    with pytest.raises(ActionError):
        lists.clear("shopping")
    assert lists.items("shopping") == ["milk"]
