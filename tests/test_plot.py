"""What cannot be drawn is a sentence."""

from pathlib import Path

import pytest

from common.errors import DataError
from models.plot import figure


def test_a_plot_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "file").touch()
    for name, sentence in (("plot.xyz", "end its name in .svg or .png"), ("file/plot.svg", "cannot be written: ")):
        with pytest.raises(DataError, match=sentence), figure(tmp_path / name, x="", y="") as axes:
            axes.plot([1], [1])
    with figure(tmp_path / "new" / "plot.svg", x="", y="") as axes:
        axes.plot([1], [1])
    assert "<svg" in (tmp_path / "new" / "plot.svg").read_text(encoding="utf-8")
