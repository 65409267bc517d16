"""What can be said of scripts/ without running for minutes: how they fail, and that they ask nothing."""

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPTS = sorted((ROOT / "scripts").iterdir())


def checkout(folder: Path) -> Path:
    """A folder with scripts/ and setup.cfg in it, and nothing else."""
    shutil.copytree(SCRIPTS[0].parent, folder / "scripts")
    for name in ("setup.cfg", "pyproject.toml"):
        shutil.copy(SCRIPTS[0].parent.parent / name, folder)
    return folder


def program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def run(script: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(script), *arguments],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_is_plain_sh_stops_at_the_first_failure_and_may_be_called_from_anywhere(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert text.startswith("#!/bin/sh\n# ")
    assert "set -eu\n" in text
    assert 'cd "$(dirname "$0")/.."\n' in text
    assert os.access(script, os.X_OK)
    subprocess.run(["sh", "-n", str(script)], check=True)


@pytest.mark.parametrize("name", ["setup", "install", "uninstall"])
def test_an_unknown_option_shows_how_to_use_it(tmp_path: Path, name: str) -> None:
    said = run(checkout(tmp_path) / "scripts" / name, "--help")
    assert said.returncode == 2
    assert f"scripts/{name} " in said.stdout
    assert "#" not in said.stdout


def test_a_python_that_is_too_old_is_named(tmp_path: Path) -> None:
    program(tmp_path / "bin", "python3.9", '[ "$1" = --version ] && echo Python 3.9.2 || echo /usr False 3 9')
    said = run(checkout(tmp_path / "tree") / "scripts" / "setup", PYTHON=str(tmp_path / "bin" / "python3.9"))
    assert said.returncode == 2
    assert said.stderr == "Python 3.9.2 is too old: 3.11 or newer is needed; name one with PYTHON=…\n"


def test_what_fails_shows_the_end_of_its_output_and_one_sentence(tmp_path: Path) -> None:
    quietly = checkout(tmp_path) / "scripts" / "quietly"
    said = run(quietly, "It could not be done.", "sh", "-c", "seq 100; exit 7")
    assert said.returncode == 7
    assert said.stdout == ""
    assert said.stderr.splitlines()[0] == "81"
    assert said.stderr.splitlines()[-1] == "It could not be done. The whole output is in build/setup.log."
    assert run(quietly, "It could not be done.", "true").stderr == ""


@pytest.fixture
def debian(tmp_path: Path) -> Path:
    """A path on which dpkg knows no package, nobody is root, and nobody may become it."""
    folder = tmp_path / "bin"
    program(folder, "dpkg-query", "exit 1")
    program(folder, "id", "echo 1000")
    program(folder, "sudo", "exit 1")
    program(folder, "apt-get", "echo apt-get was called")
    return folder


def test_packages_that_cannot_be_installed_are_named_and_setup_goes_on(tmp_path: Path, debian: Path) -> None:
    path = f"{debian}:{os.environ['PATH']}"
    said = run(checkout(tmp_path / "tree") / "scripts" / "packages", "flite", "sox", PATH=path)
    assert said.returncode == 0
    assert said.stderr.endswith("please type  sudo apt-get install flite sox\n")
    assert "apt-get was called" not in said.stdout


def test_packages_are_installed_where_one_may(tmp_path: Path, debian: Path) -> None:
    program(debian, "sudo", '[ "$1" = -n ] && shift; "$@"')
    path = f"{debian}:{os.environ['PATH']}"
    tree = checkout(tmp_path / "tree")
    assert run(tree / "scripts" / "packages", "flite", PATH=path).stdout == "Installing Debian packages: flite\n"
    assert "install --yes --no-install-recommends" in (tree / "build" / "setup.log").read_text()


def test_the_benchmarks_are_listed_where_none_is_named() -> None:
    said = run(SCRIPTS[0].parent / "bench")
    assert said.returncode == 2
    heading, *names = said.stdout.splitlines()
    assert heading == "scripts/bench NAME [OPTIONS], NAME one of:"
    assert {"  accuracy", "  endpoints", "  latency", "  wire"} < set(names)
    # What others start, and what has a script of its own.
    assert not {name.strip() for name in names} & {"chaos_board", "plain_engines", "satellite", "soak", "strangers"}
    for name in names:
        assert "def main(" in (ROOT / "benchmarks" / f"{name.strip()}.py").read_text()


@pytest.mark.parametrize("script", ["scripts/install", "benchmarks/board_run.sh"])
def test_what_copies_the_project_copies_all_its_packages(script: str) -> None:
    # Without one of them, pip refuses to install the others.
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    packages = {name.split(".")[0] for name in settings["options"]["packages"].split()}
    [copied] = [line for line in (ROOT / script).read_text().splitlines() if "protos common" in line]
    assert packages <= set(re.findall(r"\w+", copied))


def test_settings_that_could_not_be_written_are_written_by_the_next_install(tmp_path: Path) -> None:
    root, commands = tmp_path / "root", tmp_path / "bin"
    settings = root / "etc/parrotlet/edge.toml"
    (root / "etc/systemd/system").mkdir(parents=True)
    program(commands, "id", "echo 0")
    # What would run in that system: setting up works, the program only where it is let.
    program(commands, "chroot", 'case $* in *" config") cat "$CONFIG";; *" getent "*) exit 1;; esac')
    config = tmp_path / "config"
    known = {"PATH": f"{commands}:{os.environ['PATH']}", "CONFIG": str(config)}

    said = run(ROOT / "scripts" / "install", "--edge", "--root", str(root), **known)
    assert said.returncode != 0
    assert not settings.exists()
    config.write_text('[cloud]\n# Service to ask.\naddress = "127.0.0.1:7407"\n')
    said = run(ROOT / "scripts" / "install", "--edge", "--root", str(root), **known)
    assert said.returncode == 0, said.stderr
    assert settings.read_text() == '[cloud]\n# Service to ask.\n# address = "127.0.0.1:7407"\n'
    assert [file.name for file in settings.parent.iterdir()] == ["edge.toml"]


@pytest.mark.parametrize(("works", "line"), [(True, 'mode = "wake"'), (False, '# mode = "always"')])
def test_a_new_board_waits_for_a_wake_word_where_one_works_and_an_old_one_stays_as_it_is(
    tmp_path: Path, works: bool, line: str
) -> None:
    root, commands = tmp_path / "root", tmp_path / "bin"
    settings = root / "etc/parrotlet/edge.toml"
    (root / "etc/systemd/system").mkdir(parents=True)
    program(commands, "id", "echo 0")
    checked = f"*wake) exit {0 if works else 2}"
    made = """echo '[activation]'; echo 'mode = "always"'; echo '[cloud]'; echo 'address = "127.0.0.1:7407"'"""
    program(commands, "chroot", f'case $* in *" config") {made};; {checked};; *" getent "*) exit 1;; esac')
    path = f"{commands}:{os.environ['PATH']}"
    assert run(ROOT / "scripts" / "install", "--edge", "--root", str(root), PATH=path).returncode == 0
    assert settings.read_text() == f'[activation]\n{line}\n[cloud]\n# address = "127.0.0.1:7407"\n'
    settings.write_text("# its owner's\n")
    assert run(ROOT / "scripts" / "install", "--edge", "--root", str(root), PATH=path).returncode == 0
    assert settings.read_text() == "# its owner's\n"


def test_the_page_takes_the_place_of_a_board_and_the_board_that_of_the_page(tmp_path: Path) -> None:
    root, commands = tmp_path / "root", tmp_path / "bin"
    settings, units = root / "etc/parrotlet/edge.toml", root / "etc/systemd/system"
    units.mkdir(parents=True)
    program(commands, "id", "echo 0")
    made = 'printf \'[wyoming]\\nlisten = ""\\n[page]\\nlisten = ""\\n[log]\\nlisten = ""\\n\''
    program(
        commands, "chroot", f'case $* in *" config") {made};; *wake | *" getent "*) exit 1;; *) shift; echo "$@"; esac'
    )
    installed = {"PATH": f"{commands}:{os.environ['PATH']}"}
    script = ROOT / "scripts" / "install"

    said = run(script, "--cloud", "--page", "--root", str(root), **installed)
    assert said.returncode == 0, said.stderr
    assert said.stdout.endswith("For each phone a code: sudo parrotlet-edge pair\n")
    assert sorted(unit.name for unit in units.iterdir()) == ["parrotlet-cloud.service", "parrotlet-page.service"]
    open_page = '# listen = ""\n[page]\nlisten = "0.0.0.0:7409"\n[log]\n# listen = ""\n'
    assert settings.read_text() == f"[wyoming]\n{open_page}"
    said = run(script, "--edge", "--root", str(root), **installed)
    assert "systemctl disable parrotlet-page.service" in said.stdout
    assert sorted(unit.name for unit in units.iterdir()) == ["parrotlet-cloud.service", "parrotlet-edge.service"]
    # What the owner said of it stays.
    settings.write_text('[page]\nlisten = "127.0.0.1:1"\n# listen = ""\n')
    run(script, "--page", "--root", str(root), **installed)
    assert settings.read_text() == '[page]\nlisten = "127.0.0.1:1"\n# listen = ""\n'
    assert run(script, "--page", "--edge", "--root", str(root), **installed).returncode == 2


@pytest.mark.parametrize("keep", [False, True])
def test_uninstall_leaves_settings_and_data_only_where_they_are_to_be_kept(tmp_path: Path, keep: bool) -> None:
    root, commands = tmp_path / "root", tmp_path / "bin"
    program(commands, "id", "echo 0")
    # Nobody is root here: what would run in that system is only told.
    program(commands, "chroot", 'shift; echo "$*"')
    state = [f"var/lib/private/parrotlet-{part}/spool.db" for part in ("edge", "cloud")]
    settings = ["etc/parrotlet/edge.toml", "etc/parrotlet/cloud.toml"]
    units = [f"etc/systemd/system/parrotlet-{part}.service" for part in ("edge", "cloud", "page")]
    others = ["opt/other", "etc/systemd/system/other.service", "var/lib/private/other/x"]
    gpio = "etc/systemd/system/parrotlet-edge.service.d/gpio.conf"
    for name in [*state, *settings, *units, *others, gpio, "opt/parrotlet/edge/x.py"]:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    (root / "usr/local/bin").mkdir(parents=True)
    (root / "usr/local/bin/parrotlet-edge").symlink_to("/opt/parrotlet/.venv/bin/parrotlet-edge")
    (root / "var/lib/parrotlet-edge").symlink_to("private/parrotlet-edge")

    script, path = ROOT / "scripts" / "uninstall", f"{commands}:{os.environ['PATH']}"
    said = run(script, *(["--keep-data"] if keep else []), "--root", str(root), PATH=path)
    assert said.returncode == 0, said.stderr
    assert "systemctl --quiet disable parrotlet-edge.service" in said.stdout
    left = {str(found.relative_to(root)) for found in root.rglob("*") if found.is_file()}
    assert left == {*others, *(state + settings if keep else [])}
    assert (root / "var/lib/parrotlet-edge").is_symlink() == keep
    assert not list((root / "usr/local/bin").iterdir())
