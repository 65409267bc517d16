"""A Debian that boots in a container, with systemd as its first process and no network but its own."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.container_groups import UNLOCKED, own_groups, within

BOOT_S_MAX = 60.0
COMMAND_S_MAX = 300.0
_ENVIRONMENT = ("LANG=C.UTF-8", "HOME=/root", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")

Said = subprocess.CompletedProcess[str]


def why_not() -> str:
    """Why there can be no container here; "" if there can."""
    missing = [name for name in ("systemd-nspawn", "nsenter") if shutil.which(name) is None]
    return f"no {', '.join(missing)}: apt install systemd-container" if missing else ""


class Container:
    """A Debian below `root`; `checkout` is seen in it, read-only, as /src."""

    def __init__(self, root: Path, checkout: Path) -> None:
        self.root = root
        # --keep-unit: where the host's own first process is not systemd.
        self._nspawn = [
            "systemd-nspawn",
            "--quiet",
            "--register=no",
            "--keep-unit",
            f"--directory={root}",
            f"--machine=parrotlet-{os.getpid()}",
            f"--bind-ro={checkout}:/src",
            *(f"--setenv={setting}" for setting in _ENVIRONMENT),
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self._first = 0

    def without_booting(self, *command: str) -> Said:
        """Runs a command with the network of this machine, as in a shell before the services are there."""
        nspawn = [*self._nspawn, "--pipe", "--as-pid2", *command]
        return subprocess.run(
            nspawn, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=4 * COMMAND_S_MAX
        )

    @contextmanager
    def booted(self) -> Iterator[None]:
        """As long as it is entered, it is up. RuntimeError if it does not come up."""
        nspawn = [*self._nspawn, "--private-network", "--console=pipe", "--boot"]
        with own_groups() as groups:
            yield from self._boot(within(groups, nspawn), UNLOCKED if groups else "true")

    def _boot(self, nspawn: Sequence[str], then: str) -> Iterator[None]:
        with (self.root.parent / "console").open("wb") as console:
            self._process = subprocess.Popen(nspawn, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        try:
            self._wait_until_up()
            self.out("sh", "-c", then)
            yield
        finally:
            if self._process.poll() is None and self._first:
                self.run("systemctl", "poweroff", "--no-block")
            try:
                self._process.wait(BOOT_S_MAX)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def start(self, *command: str) -> "subprocess.Popen[str]":
        """Starts a command in the booted container."""
        inside = ["nsenter", f"--target={self._first}", "--all", "env", "-i", "-C", "/", *_ENVIRONMENT, *command]
        return subprocess.Popen(
            inside, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, *command: str) -> Said:
        """Runs a command in the booted container."""
        with self.start(*command) as process:
            stdout, stderr = process.communicate(timeout=COMMAND_S_MAX)
        return Said(command, process.returncode, stdout, stderr)

    def out(self, *command: str) -> str:
        """What a command says. RuntimeError, with what it complained of, if it fails."""
        said = self.run(*command)
        if said.returncode:
            raise RuntimeError(f"{' '.join(command)}: status {said.returncode}: {said.stderr.strip()}")
        return said.stdout

    def _wait_until_up(self) -> None:
        assert self._process is not None
        until_s = time.monotonic() + BOOT_S_MAX
        while time.monotonic() < until_s and self._process.poll() is None:
            children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
            self._first = int(children[0]) if children else 0
            if self._first and self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"):
                return
            time.sleep(0.2)
        raise RuntimeError(f"the container does not boot:\n{(self.root.parent / 'console').read_text()[-2000:]}")


def copied(root: Path, folder: Path) -> Path:
    """A copy of a root that may be spoilt, which finds its way to the network as this machine does."""
    copy = folder / "root"
    command: Sequence[str | Path] = ["cp", "--archive", "--one-file-system", "--reflink=auto", root, copy]
    subprocess.run(command, check=True)
    for file in ("etc/resolv.conf", "etc/ssl/certs/ca-certificates.crt"):
        if (Path("/") / file).exists():
            (copy / file).unlink(missing_ok=True)
            (copy / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path("/") / file, copy / file)
    return copy
