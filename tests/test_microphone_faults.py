"""The short form of `scripts/bench microphone_faults`. Unplugged: tests/test_whole_path.py."""

import pytest
from click.testing import CliRunner

from benchmarks.microphone_faults import main


@pytest.mark.usefixtures("virtual_microphone")
def test_zeros_are_told_to_the_user_and_are_no_fault() -> None:
    said = CliRunner().invoke(main, ["--fault", "all zeros", "--lasts", "0"])
    assert said.exit_code == 0, said.output
    assert "in 1 line of the log; healthy and fed" in said.output
