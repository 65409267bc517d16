import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = sorted((Path(__file__).parent.parent / "systemd").glob("*.service"))


def section(unit: Path, name: str) -> configparser.SectionProxy:
    # A key may come several times; the last is enough here.
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit, encoding="utf-8")
    return parser[name]


def test_both_sides_have_a_unit() -> None:
    assert [unit.stem for unit in UNITS] == ["parrotlet-cloud", "parrotlet-edge"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_says_when_it_is_ready_and_starts_again_for_ever(unit: Path) -> None:
    service = section(unit, "Service")
    assert service["Type"] == "notify"
    assert service["Restart"] == "always"
    assert float(service["RestartSec"]) >= 1
    assert section(unit, "Unit")["StartLimitIntervalSec"] == "0"
    assert section(unit, "Install")["WantedBy"] == "multi-user.target"


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_settings_that_cannot_be_used_are_not_tried_again(unit: Path) -> None:
    from common.commands import UNUSABLE_INPUT

    assert section(unit, "Service")["RestartPreventExitStatus"] == str(UNUSABLE_INPUT)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_neither_runs_as_root_nor_waits_for_a_network(unit: Path) -> None:
    assert section(unit, "Service")["DynamicUser"] == "yes"
    assert "network-online" not in section(unit, "Unit").get("After", "")


def test_the_watchdog_is_slower_than_the_silence_that_it_watches_for() -> None:
    # A device that delivers nothing for 5 s is re-opened first; see edge/.
    assert float(section(UNITS[1], "Service")["WatchdogSec"]) > 2 * 5


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_finds_nothing_wrong(unit: Path, tmp_path: Path) -> None:
    # The program is not installed at its place where tests run.
    copy = tmp_path / unit.name
    lines = unit.read_text(encoding="utf-8").splitlines()
    copy.write_text("\n".join("ExecStart=/bin/true" if line.startswith("ExecStart=") else line for line in lines))
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(copy)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (said.returncode, said.stderr) == (0, "")
