"""The units: what they promise, and what systemd thinks of them. Booted: scripts/container."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cloud.watchdog import LOOK_S
from edge.board.board import SILENT_S_MAX

EXPOSURE_MAX = 1.5
"""As `systemd-analyze security` counts, from 0 to 10; a unit that says nothing has 9.6."""

UNITS = sorted((Path(__file__).parent.parent / "systemd").glob("*.service"))


def section(unit: Path, name: str) -> configparser.SectionProxy:
    # A key may come several times; the last is enough here.
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit, encoding="utf-8")
    return parser[name]


def test_both_sides_have_a_unit_and_so_has_the_page_without_a_board() -> None:
    assert [unit.stem for unit in UNITS] == ["parrotlet-cloud", "parrotlet-edge", "parrotlet-page"]


def test_the_page_without_a_board_has_a_boards_program_state_and_settings_and_no_device() -> None:
    service = section(UNITS[2], "Service")
    assert service["ExecStart"].endswith("/parrotlet-edge page")
    assert service["StateDirectory"] == section(UNITS[1], "Service")["StateDirectory"]
    assert section(UNITS[2], "Unit")["Conflicts"] == UNITS[1].name
    assert service["PrivateDevices"] == "yes"


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_says_when_it_is_ready_and_starts_again_for_ever(unit: Path) -> None:
    service = section(unit, "Service")
    assert service["Type"] == "notify"
    assert service["Restart"] == "always"
    assert float(service["RestartSec"]) >= 1
    assert section(unit, "Unit")["StartLimitIntervalSec"] == "0"
    assert section(unit, "Install")["WantedBy"] == "multi-user.target"


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_settings_are_checked_first_and_no_exit_status_is_the_last(unit: Path) -> None:
    # A port that is taken, or an address that the network has not given yet, is free a minute later.
    service = section(unit, "Service")
    (program, *_) = service["ExecStart"].split()
    assert service["ExecStartPre"] == f"{program} config --check"
    assert program.removeprefix("/opt/parrotlet/.venv/bin/") in ("parrotlet-cloud", "parrotlet-edge")
    assert "RestartPreventExitStatus" not in service


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_neither_runs_as_root_nor_waits_for_a_network(unit: Path) -> None:
    assert section(unit, "Service")["DynamicUser"] == "yes"
    assert "network-online" not in section(unit, "Unit").get("After", "")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_what_was_said_reaches_no_core_file_and_no_swap_and_the_rest_is_bounded(unit: Path) -> None:
    service = section(unit, "Service")
    assert (service["LimitCORE"], service["MemorySwapMax"]) == ("0", "0")
    assert {"MemoryMax", "TasksMax", "LogRateLimitIntervalSec", "LogRateLimitBurst"} <= set(service)


def test_the_board_may_use_sound_and_buttons_and_no_other_device() -> None:
    allowed = [line for line in UNITS[1].read_text(encoding="utf-8").splitlines() if line.startswith("DeviceAllow=")]
    assert allowed == ["DeviceAllow=char-alsa rw", "DeviceAllow=char-gpiochip rw"]
    assert section(UNITS[1], "Service")["DevicePolicy"] == "closed"
    assert section(UNITS[0], "Service")["PrivateDevices"] == "yes"


def test_what_speaks_and_is_too_large_does_not_end_the_board() -> None:
    assert section(UNITS[1], "Service")["OOMPolicy"] == "continue"


def test_the_watchdogs_are_slower_than_what_they_watch_for() -> None:
    # A device that delivers nothing for 5 s is re-opened first; see edge/.
    assert float(section(UNITS[1], "Service")["WatchdogSec"]) > 2 * SILENT_S_MAX
    assert float(section(UNITS[0], "Service")["WatchdogSec"]) > 10 * LOOK_S


needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_finds_nothing_wrong(unit: Path, tmp_path: Path) -> None:
    # The programs are not installed at their places where tests run.
    copy = tmp_path / unit.name
    copy.write_text(re.sub(r"(?m)^(ExecStart(Pre)?)=.*$", r"\1=/bin/true", unit.read_text(encoding="utf-8")))
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(copy)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (said.returncode, said.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_the_exposure_is_small(unit: Path) -> None:
    # The threshold is in tenths.
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX * 10:.0f}", "--no-pager"]
    said = subprocess.run([*command, str(unit)], capture_output=True, text=True, timeout=30)
    assert said.returncode == 0, said.stdout
