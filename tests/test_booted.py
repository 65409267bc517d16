"""What can be said of scripts/booted without root and a Debian to boot: its table, and what it takes for ours."""

from pathlib import Path
from typing import cast

import pytest

from benchmarks.booted_trial import Trial
from benchmarks.nspawn import Container, copied


class Root:
    """A container that is a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root


def trial(root: Path) -> Trial:
    return Trial(cast(Container, Root(root)))


def test_what_fails_is_a_row_of_the_table_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def fails(why: str) -> str:
        raise RuntimeError(why)

    table = trial(tmp_path)
    table.check("it is killed", lambda seconds: f"back after {seconds} s", 4)
    table.check("it is frozen", fails, "status 1:\nno | nothing")
    assert table.failed == 1
    assert capsys.readouterr().out == (
        "| it is killed | back after 4 s | 0.0 |\n| it is frozen | **FAILED**: status 1: no / nothing | 0.0 |\n"
    )


def test_a_copy_is_apart_and_what_was_there_before_is_not_ours(tmp_path: Path) -> None:
    for name in ("etc/ssl/certs/ca-certificates.crt", "etc/parrotlet/edge.toml", "srv/notes"):
        (tmp_path / "debian" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "debian" / name).write_text("x")
    root = copied(tmp_path / "debian", tmp_path)
    (root / "srv/notes").write_text("y")
    assert (tmp_path / "debian/srv/notes").read_text() == "x"
    table = trial(root)
    assert table.before == {"/etc/parrotlet"}
    (root / "opt/parrotlet").mkdir(parents=True)
    assert table.ours() - table.before == {"/opt/parrotlet"}
