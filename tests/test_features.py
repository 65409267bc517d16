"""The short form of `scripts/bench features`: the levels are the same in all blocks, and a peer may be missing."""

import sys

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks import features
from edge.speech.log_mel import LogMel
from protos.feature_spec import DEFAULT_SPEC


def test_a_table_is_printed_whatever_peers_are_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for peer in ("kaldi_native_fbank", "pymicro_features", "asrfront"):
        monkeypatch.setitem(sys.modules, peer, None)
    result = CliRunner().invoke(features.main, ["--seconds", "1", "--repeats", "1"])
    assert result.exit_code == 0, result.output
    assert "the same bits in all of 24 ways" in result.output
    assert f"| Parrotlet, {DEFAULT_SPEC.levels} levels | yes |" in result.output
    assert "| kaldi-native-fbank (not installed: kaldi_native_fbank) |" in result.output


def test_levels_that_depend_on_the_cut_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgetful(LogMel):
        """Drops what it should keep for the next block."""

        def push(self, samples: np.ndarray) -> np.ndarray:
            self._pending = self._pending[:0]
            return super().push(samples)

    monkeypatch.setattr(features, "LogMel", Forgetful)
    result = CliRunner().invoke(features.main, ["--seconds", "1", "--repeats", "1"])
    assert result.exit_code == 1
    assert "The levels are others in 23 of 24 ways" in result.output
