"""What is tried in the container: each check says what came of it, or raises."""

import json
import time
from pathlib import Path

from benchmarks.booted_trial import Trial

EDGE, CLOUD = UNITS = ("parrotlet-edge", "parrotlet-cloud")

CANARIES = ("10 minutes", "ten minutes", "fuse box", "fusebox")
"""Of what is said here."""

GPIO_GROUP = 61
"""Raspberry Pi OS has one, Debian has not."""

SOUND = "/run/sound.sock"
"""Of the container's sound server."""


def is_ready(trial: Trial, unit: str) -> str:
    trial.wait(lambda: trial.show(unit, "ActiveState") == "active")
    began, ready = (int(trial.show(unit, f"{key}TimestampMonotonic")) / 1e6 for key in ("InactiveExit", "ActiveEnter"))
    return f"READY {ready - began:.1f} s after its start; {trial.show(unit, 'StatusText')}"


def is_closed(trial: Trial, unit: str, state: str = "") -> str:
    """As the kernel sees the process. `state`: its state directory, where that has not the unit's name."""
    pid = trial.pid(unit)
    lines = trial.container.out("cat", f"/proc/{pid}/status").splitlines()
    said = {name: value.split() for name, value in (line.split(":", 1) for line in lines)}
    limits = trial.container.out("cat", f"/proc/{pid}/limits")
    core = next(line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core"))
    assert said["CapEff"] == said["CapBnd"] == ["0" * 16], said["CapEff"]
    assert (said["NoNewPrivs"], said["Seccomp"]) == (["1"], ["2"])
    assert str(GPIO_GROUP) in said["Groups"] or unit != EDGE, said["Groups"]
    assert int(said["Uid"][0]) >= 61184, f"user {said['Uid'][0]} is not of systemd's making"
    assert core == ["0", "0"], core
    mounts = [line.split() for line in trial.container.out("cat", f"/proc/{pid}/mountinfo").splitlines()]
    assert all("ro" in mount[5].split(",") for mount in mounts if mount[4] in ("/", "/usr", "/etc")), "not read-only"
    assert trial.container.out("stat", "--format=%a", f"/var/lib/private/{state or unit}").strip() == "700"
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
    pid = trial.pid(CLOUD)
    before = trial.children(pid)
    trial.signal("KILL", before[0])

    def replaced() -> bool:
        now = trial.children(pid)
        return len(now) == len(before) and before[0] not in now

    after_s = trial.wait(replaced)
    assert trial.pid(CLOUD) == pid, "the service was started again"
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
    pid = trial.pid(EDGE)
    trial.signal("KILL", pid)
    trial.again(EDGE, pid)
    trial.wait(lambda: trial.status().get("microphone", {}).get("state") == "muted")
    pid, watchdog_s = trial.pid(EDGE), int(trial.show(EDGE, "WatchdogUSec").removesuffix("s"))
    time.sleep(watchdog_s + 3)
    assert (trial.pid(EDGE), trial.status()["healthy"]) == (pid, True)
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
    said = trial.container.out("parrotlet-edge", "test", "--json", "--cloud", "127.0.0.1:7407", "/srv/fuse_box.wav")
    answer = json.loads(said.splitlines()[0])
    assert answer["engine"] == "whisper", answer
    return f'"{answer["transcript"]}" by {answer["engine"]} {answer["model"]}'


def members_may_mute(trial: Trial) -> str:
    """Whoever may use the sound card may ask and mute, and nobody else."""

    def status_as(group: str) -> int:
        person = ("setpriv", "--reuid=1234", f"--regid={group}", "--clear-groups")
        return trial.container.run(*person, "parrotlet-edge", "status").returncode

    codes = {group: status_as(group) for group in ("audio", "nogroup")}
    assert codes["audio"] == 0 != codes["nogroup"], codes
    return "a member of group audio is answered, another is refused"


def keeps_quiet(trial: Trial) -> str:
    """Of the sentences that were spoken, nothing is in the journal, and killed programs left no core files."""
    journal = trial.container.out("journalctl", "--output=export", "--no-pager").lower()
    found = [words for words in CANARIES if words in journal]
    assert not found, f"in the journal: {found}"
    # Where a process stands, and where systemd would keep them.
    places = ("/", "/run/parrotlet-edge", "/var/lib/systemd/coredump")
    cores = trial.container.run("find", *places, "-maxdepth", "1", "-name", "core*").stdout.split()
    assert not {Path(path).name for path in cores} - {"coredump"}, cores
    return f"{len(journal) >> 10} KiB of journal with none of: {', '.join(CANARIES)}; no core files"


def answers(trial: Trial) -> str:
    """A sentence is spoken and answered."""
    if not (trial.container.root / "usr/bin/pulseaudio").exists():
        return "not tried: no pulseaudio in this Debian"
    trial.wait(lambda: trial.status().get("microphone", {}).get("state") == "open")
    before = trial.status()["utterances"]["heard"]
    trial.container.out("env", f"PULSE_SERVER=unix:{SOUND}", "paplay", "/srv/timer.wav")

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
