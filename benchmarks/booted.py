"""Parrotlet as services of a Debian that boots: installed as a person would, broken, upgraded, taken away again.

    sudo scripts/booted DEBIAN_ROOT

DEBIAN_ROOT: a folder with a Debian in it, such as `mmdebstrap --include=systemd-sysv,dbus bookworm DIR` makes; it is
copied, and not changed. With pulseaudio, pulseaudio-utils and libasound2-plugins in it, a sentence is spoken, too.
"""

import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import soundfile

from benchmarks import nspawn
from benchmarks.nspawn import Container

ROOT = Path(__file__).parent.parent
UNITS = ("parrotlet-edge", "parrotlet-cloud")
CHANGE_S_MAX = 90.0
"""Longest wait for a service to be as it should be again: the watchdog's time, and that of two starts."""

FAULTS = (
    (UNITS[0], "[vad]\naggressiveness = 9\n", "vad.aggressiveness is 9"),
    (UNITS[1], '[server]\nlisten = "everywhere"\n', "server.listen is 'everywhere'"),
)
DATA = (
    "/etc/parrotlet",
    *(f"/var/lib/{folder}{unit}" for folder in ("", "private/") for unit in UNITS),
)

GPIO_GROUP = 61
"""Raspberry Pi OS has one, Debian has not."""

SOUND = "/run/sound.sock"
_ASOUND = "pcm.!default {{ type pulse server {0} device microphone }}\nctl.!default {{ type pulse server {0} }}\n"


class Trial:
    """The container, and the table that is made of it."""

    def __init__(self, container: Container) -> None:
        self.container = container
        self.failed = 0
        self.before = self.ours()
        """What was there before anything was installed."""

    def ours(self) -> set[str]:
        """Paths of the container that bear our name."""
        places = [self.container.root / place for place in ("etc", "opt", "usr", "var", "root", "home")]
        found = (path for place in places for path in place.rglob("*parrotlet*"))
        return {f"/{path.relative_to(self.container.root)}" for path in found}

    def check(self, name: str, about: Callable[..., str], *arguments: Any) -> None:
        """A row: what was tried, what came of it, how long it took."""
        if sys.stderr.isatty():
            print(f"\r\033[K{name}", end="\r", file=sys.stderr, flush=True)
        began_s = time.monotonic()
        try:
            result = about(*arguments)
        except (AssertionError, RuntimeError, OSError) as error:
            self.failed += 1
            result = f"**FAILED**: {str(error)[:400] or 'not so'}".replace("\n", " ").replace("|", "/")
        print(f"| {name} | {result} | {time.monotonic() - began_s:.1f} |", flush=True)

    def show(self, unit: str, key: str) -> str:
        return self.container.out("systemctl", "show", "--value", f"--property={key}", unit).strip()

    def pid(self, unit: str) -> int:
        return int(self.show(unit, "MainPID"))

    def journal(self, unit: str) -> list[dict[str, Any]]:
        lines = self.container.out("journalctl", f"--unit={unit}", "--output=json", "--no-pager").splitlines()
        return [json.loads(line) for line in lines]

    def signal(self, name: str, *pids: int) -> None:
        self.container.out("sh", "-c", f"kill -{name} {' '.join(map(str, pids))}")

    def children(self, pid: int) -> list[int]:
        return [int(child) for child in self.container.run("cat", f"/proc/{pid}/task/{pid}/children").stdout.split()]

    def status(self) -> dict[str, Any]:
        """What the board says of itself; empty while it does not."""
        said = self.container.run("parrotlet-edge", "status", "--json").stdout
        status: dict[str, Any] = json.loads(said) if said else {}
        return status

    def wait(self, what: Callable[[], bool], *, s_max: float = CHANGE_S_MAX) -> float:
        """Seconds until it is so. AssertionError if that takes too long."""
        began_s = time.monotonic()
        while not what():
            assert time.monotonic() - began_s < s_max, f"not so after {s_max:.0f} s"
            time.sleep(0.1)
        return time.monotonic() - began_s

    def again(self, unit: str, pid: int) -> float:
        """Seconds until another process of a unit is ready."""
        return self.wait(lambda: self.show(unit, "ActiveState") == "active" and self.pid(unit) not in (0, pid))


def is_ready(trial: Trial, unit: str) -> str:
    trial.wait(lambda: trial.show(unit, "ActiveState") == "active")
    began, ready = (int(trial.show(unit, f"{key}TimestampMonotonic")) / 1e6 for key in ("InactiveExit", "ActiveEnter"))
    return f"READY {ready - began:.1f} s after its start; {trial.show(unit, 'StatusText')}"


def is_closed(trial: Trial, unit: str) -> str:
    """As the kernel sees the process."""
    pid = trial.pid(unit)
    lines = trial.container.out("cat", f"/proc/{pid}/status").splitlines()
    said = {name: value.split() for name, value in (line.split(":", 1) for line in lines)}
    limits = trial.container.out("cat", f"/proc/{pid}/limits")
    core = next(line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core"))
    assert said["CapEff"] == said["CapBnd"] == ["0" * 16], said["CapEff"]
    assert (said["NoNewPrivs"], said["Seccomp"]) == (["1"], ["2"])
    assert str(GPIO_GROUP) in said["Groups"] or unit != UNITS[0], said["Groups"]
    assert int(said["Uid"][0]) >= 61184, f"user {said['Uid'][0]} is not of systemd's making"
    assert core == ["0", "0"], core
    mounts = [line.split() for line in trial.container.out("cat", f"/proc/{pid}/mountinfo").splitlines()]
    assert all("ro" in mount[5].split(",") for mount in mounts if mount[4] in ("/", "/usr", "/etc")), "not read-only"
    assert trial.container.out("stat", "--format=%a", f"/var/lib/private/{unit}").strip() == "700"
    use = f"{int(said['VmRSS'][0]) // 1024} MiB resident, {said['Threads'][0]} threads"
    return f"user {said['Uid'][0]}, no capabilities, seccomp, read-only system, no core file; {use}"


def is_small_target(trial: Trial) -> str:
    """As the systemd of this Debian sees the units: each release looks at more."""
    said = []
    for unit in UNITS:
        file = f"/etc/systemd/system/{unit}.service"
        complaints = trial.container.run("systemd-analyze", "verify", "--man=no", file).stderr
        assert unit not in complaints, complaints
        judged = trial.container.run("systemd-analyze", "security", "--no-pager", f"{unit}.service").stdout
        said.append(f"{unit} {judged.split('Overall exposure level')[1].split(':')[1].split()[0]}")
    version = trial.container.out("systemctl", "--version").split()[1]
    return f"exposure by systemd {version}: {', '.join(said)}; verify finds nothing"


def survives_kill(trial: Trial, unit: str) -> str:
    pid = trial.pid(unit)
    trial.signal("KILL", pid)
    return f"ready again after {trial.again(unit, pid):.1f} s"


def worker_is_replaced(trial: Trial) -> str:
    pid = trial.pid(UNITS[1])
    before = trial.children(pid)
    trial.signal("KILL", before[0])

    def replaced() -> bool:
        now = trial.children(pid)
        return len(now) == len(before) and before[0] not in now

    after_s = trial.wait(replaced)
    assert trial.pid(UNITS[1]) == pid, "the service was started again"
    return f"another is started after {after_s:.1f} s, the service goes on"


def freezes_are_noticed(trial: Trial) -> str:
    """Both at once, because it takes its time."""
    pids = {unit: trial.pid(unit) for unit in UNITS}
    trial.signal("STOP", *pids.values())
    began_s = time.monotonic()
    after_s = {}
    for unit in UNITS:
        trial.again(unit, pids[unit])
        after_s[unit] = time.monotonic() - began_s
        assert any("Watchdog timeout" in str(line["MESSAGE"]) for line in trial.journal(unit)), "no watchdog"
    return ", ".join(f"{unit}: killed, and ready after {seconds:.0f} s" for unit, seconds in after_s.items())


def mute_is_kept(trial: Trial) -> str:
    trial.container.out("parrotlet-edge", "mute")
    pid = trial.pid(UNITS[0])
    trial.signal("KILL", pid)
    trial.again(UNITS[0], pid)
    trial.wait(lambda: trial.status().get("microphone", {}).get("state") == "muted")
    pid, watchdog_s = trial.pid(UNITS[0]), int(trial.show(UNITS[0], "WatchdogUSec").removesuffix("s"))
    time.sleep(watchdog_s + 3)
    assert (trial.pid(UNITS[0]), trial.status()["healthy"]) == (pid, True)
    trial.container.out("parrotlet-edge", "unmute")
    return f"muted after kill -9, and left alone by the watchdog for {watchdog_s + 3} s"


def faults_of_settings_are_told(trial: Trial, unit: str, fault: str, sentence: str) -> str:
    file = trial.container.root / f"etc/parrotlet/{unit.removeprefix('parrotlet-')}.toml"
    sound = file.read_text()
    file.write_text(fault)
    try:
        assert trial.container.run("systemctl", "restart", unit).returncode, "it started"
        told = [line for line in trial.journal(unit) if sentence in str(line["MESSAGE"])]
        assert told, "nothing was told"
        trial.wait(lambda: int(trial.show(unit, "NRestarts")) >= 2)
    finally:
        file.write_text(sound)
    after_s = trial.wait(lambda: trial.show(unit, "ActiveState") == "active")
    return f'"{told[0]["MESSAGE"]}"; ready {after_s:.1f} s after it was put right'


def journal_has_fields(trial: Trial) -> str:
    """A line that warns is found by its priority; all bear the name of the program and of the unit."""
    counts = []
    for unit in UNITS:
        ours = [line for line in trial.journal(unit) if line.get("_TRANSPORT") == "stdout"]
        assert ours, f"{unit} said nothing"
        for line in ours:
            assert (line["_SYSTEMD_UNIT"], line["SYSLOG_IDENTIFIER"]) == (f"{unit}.service", unit), line
        warnings = [line for line in ours if line["PRIORITY"] == "4"]
        assert not any(str(line["MESSAGE"]).startswith(("<", "WARNING")) for line in ours), "a prefix was left"
        counts.append(f"{unit}: {len(ours)} lines, {len(warnings)} warnings")
    return "; ".join(counts)


def whisper_answers(trial: Trial) -> str:
    """Open speech, so that each engine works within the walls of the unit."""
    said = trial.container.out("parrotlet-edge", "test", "--json", "--cloud", "127.0.0.1:7407", "/root/fuse_box.wav")
    answer = json.loads(said.splitlines()[0])
    assert answer["engine"] == "whisper", answer
    return f'"{answer["transcript"]}" by {answer["engine"]} {answer["model"]}'


def answers(trial: Trial) -> str:
    """A sentence is spoken and answered."""
    if not (trial.container.root / "usr/bin/pulseaudio").exists():
        return "not tried: no pulseaudio in this Debian"
    trial.wait(lambda: trial.status().get("microphone", {}).get("state") == "open")
    before = trial.status()["utterances"]["heard"]
    trial.container.out("env", f"PULSE_SERVER=unix:{SOUND}", "paplay", "/root/timer.wav")

    def is_over() -> bool:
        counts = trial.status()["utterances"]
        return bool(counts["heard"] > before and not counts["awaited"])

    said_s = trial.wait(is_over)
    last = trial.status()["last_answer"]
    assert last["results"][:1] == ["Timer for 10 minutes"], last
    return f'"{last["transcript"]}" by {last["path"]}, {last["endpoint_to_final_ms"]} ms; {said_s:.1f} s after it ended'


def upgrades(trial: Trial) -> str:
    """Another install on top, as after `git pull`: settings and state stay, what is gone from the code goes."""
    stale = trial.container.root / "opt/parrotlet/edge/stale.py"
    stale.touch()
    settings = trial.container.root / "etc/parrotlet/edge.toml"
    settings.write_text(settings.read_text().replace('# id = ""', 'id = "kitchen"'))
    pids = {unit: trial.pid(unit) for unit in UNITS}
    began_s = time.monotonic()
    trial.container.out("/src/scripts/install", "--edge", "--cloud")
    took_s = time.monotonic() - began_s
    for unit in UNITS:
        trial.again(unit, pids[unit])
    assert not stale.exists(), "what the new version has not is still there"
    assert trial.status()["device_id"] == "kitchen", "settings were lost"
    return f"done in {took_s:.1f} s, both ready, settings kept"


def leaves_nothing(trial: Trial, option: str = "", but: tuple[str, ...] = ()) -> str:
    trial.container.out("/src/scripts/uninstall", *option.split())
    units = trial.container.out("systemctl", "list-units", "--all", "--no-legend", "parrotlet-*").strip()
    left = trial.ours() - trial.before
    assert left == set(but), f"left: {left}"
    assert not units, f"left: {units}"
    return f"left: {', '.join(but)}" if but else "nothing of it is left"


@contextlib.contextmanager
def with_sound(container: Container) -> Iterator[None]:
    """A microphone in the container that hears what is played, where there can be one."""
    if not (container.root / "usr/bin/pulseaudio").exists():
        yield
        return
    sink = "module-null-sink sink_name=speaker norewinds=1 format=s16le rate=48000 channels=2"
    source = "module-remap-source master=speaker.monitor source_name=microphone master_channel_map=front-left"
    modules = (f"module-native-protocol-unix socket={SOUND} auth-anonymous=1", sink, f"{source} channel_map=mono")
    options = ("-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1")
    with container.start("pulseaudio", *options, *(f"--load={module}" for module in modules)) as pulse:
        try:
            yield
        finally:
            pulse.kill()


def prepare(root: Path) -> None:
    """What is spoken, and where from."""
    for name in ("timer", "fuse_box"):
        samples, rate_hz = soundfile.read(ROOT / f"tests/speech/{name}.flac", dtype="int16")
        soundfile.write(root / f"root/{name}.wav", samples, rate_hz)
    with (root / "etc/group").open("a") as file:
        file.write(f"gpio:x:{GPIO_GROUP}:\n")
    (root / "etc/asound.conf").write_text(_ASOUND.format(f'"unix:{SOUND}"'))
    if (root / "etc/pulse").is_dir():
        with (root / "etc/pulse/client.conf").open("a") as file:
            file.write("\nenable-shm = no\nautospawn = no\n")


def installs(container: Container) -> str:
    said = container.without_booting("/src/scripts/install", "--edge", "--cloud")
    if said.returncode:
        raise RuntimeError(f"{said.stdout[-300:]} {said.stderr[-600:]}")
    return "units, commands, settings, packages and Whisper's weights are there"


def try_all(trial: Trial) -> None:
    """In the booted container."""
    for unit in UNITS:
        trial.check(f"{unit} comes up with the machine, without a network", is_ready, trial, unit)
        trial.check(f"{unit} is closed", is_closed, trial, unit)
    trial.check("systemd-analyze", is_small_target, trial)
    trial.check("a sentence is spoken", answers, trial)
    trial.check("a sentence for Whisper", whisper_answers, trial)
    for unit in UNITS:
        trial.check(f"{unit} is killed (SIGKILL)", survives_kill, trial, unit)
    trial.check("a worker is killed (SIGKILL)", worker_is_replaced, trial)
    trial.check("both are frozen (SIGSTOP)", freezes_are_noticed, trial)
    trial.check("a sentence after all that", answers, trial)
    trial.check("muted, then killed", mute_is_kept, trial)
    for unit, fault, sentence in FAULTS:
        trial.check(f"{unit} with wrong settings", faults_of_settings_are_told, trial, unit, fault, sentence)
    trial.check("fields of the journal", journal_has_fields, trial)
    trial.check("upgrade in place", upgrades, trial)
    trial.check("uninstall --keep-data", leaves_nothing, trial, "--keep-data", DATA)
    trial.check("uninstall, of what was kept, too", leaves_nothing, trial)


@click.command()
@click.argument("root", metavar="DEBIAN_ROOT", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--work", type=click.Path(exists=True, path_type=Path), default=Path("/var/tmp"), show_default=True)
def main(root: Path, work: Path) -> None:
    """Install, boot, break, upgrade and remove Parrotlet in a copy of DEBIAN_ROOT, below `--work`; needs root."""
    if os.geteuid():
        raise click.UsageError("This needs root: sudo scripts/booted DEBIAN_ROOT")
    if why := nspawn.why_not():
        raise click.UsageError(f"There can be no container here: {why}")
    with tempfile.TemporaryDirectory(dir=work, prefix="booted") as folder:
        container = Container(nspawn.copied(root, Path(folder)), ROOT)
        prepare(container.root)
        trial = Trial(container)
        print("\n| what is tried | what comes of it | s |\n|---|---|---|", flush=True)
        trial.check("scripts/install --edge --cloud", lambda: installs(container))
        if not trial.failed:
            with container.booted(), with_sound(container):
                try_all(trial)
    sys.exit(1 if trial.failed else 0)


if __name__ == "__main__":
    main()
