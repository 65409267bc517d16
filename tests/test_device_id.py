"""Who a board is, where its owner did not say."""

import re
from pathlib import Path

from edge.device_id import device_id


def test_a_name_that_was_given_is_kept(tmp_path: Path) -> None:
    assert device_id("kitchen", tmp_path / "none") == "kitchen"


def test_the_machine_s_id_makes_a_name_that_stays_and_does_not_tell_it(tmp_path: Path) -> None:
    file = tmp_path / "machine-id"
    file.write_text("0123456789abcdef0123456789abcdef\n")
    made = device_id("", file)
    assert made == device_id("", file)
    assert re.fullmatch(r"board-[0-9a-f]{12}", made)
    assert made.removeprefix("board-") not in file.read_text()
    file.write_text("fedcba9876543210fedcba9876543210\n")
    assert device_id("", file) != made


def test_a_machine_without_an_id_has_a_name_all_the_same(tmp_path: Path) -> None:
    assert re.fullmatch(r"board-[0-9a-f]{12}", device_id("", tmp_path / "none"))
