"""What is tried in the container of a unit's limits and keys: each check says what came of it, or raises."""

from benchmarks.booted_checks import CLOUD, EDGE
from benchmarks.booted_trial import Trial


def limits_hold(trial: Trial, unit: str) -> str:
    """Started with half of the memory that it had, it is killed, again and again; given the rest back, it is there."""
    most = {key: trial.show(unit, key) for key in ("MemoryMax", "TasksMax")}
    assert all(value.isdigit() for value in most.values()), f"no limits: {most}"
    now, tasks = trial.show(unit, "MemoryCurrent"), trial.show(unit, "TasksCurrent")
    said = f"{int(most['MemoryMax']) >> 20} MiB and {most['TasksMax']} tasks at most"
    if not now.isdigit():
        return f"{said}; not tried: this machine gives the container no memory controller"
    pid, half, starts = trial.pid(unit), int(now) // 2, int(trial.show(unit, "NRestarts"))
    trial.container.out("systemctl", "set-property", "--runtime", unit, f"MemoryMax={half}")
    try:
        # What it has already cannot be taken from it everywhere.
        trial.signal("KILL", pid)
        trial.wait(lambda: int(trial.show(unit, "NRestarts")) >= starts + 2)
    finally:
        trial.container.out("systemctl", "set-property", "--runtime", unit, f"MemoryMax={most['MemoryMax']}")
    back_s = trial.again(unit, pid)
    return f"{said}, {tasks} now; with {half >> 20} MiB killed as it starts, with the rest ready after {back_s:.1f} s"


def keys_are_the_units_own(trial: Trial) -> str:
    """The service gets certificates and the board enrols, as a person would, while both run as units."""
    run = trial.container.out
    pid = trial.pid(CLOUD)
    run("parrotlet-cloud", "pki", "init")
    run("systemctl", "restart", CLOUD)
    trial.again(CLOUD, pid)
    run("sh", "-c", "parrotlet-cloud pki enrol --device kitchen | parrotlet-edge enrol 127.0.0.1 -")
    known_s = trial.wait(lambda: any(service["known_as"] == "kitchen" for service in trial.status()["services"]))
    trial.wait(lambda: all(service["down"] is None for service in trial.status()["services"]))
    keys = {EDGE: "identity/cloud.json", CLOUD: "pki/authority.pem"}
    for unit, file in keys.items():
        path = f"/var/lib/private/{unit}/{file}"
        mode, owner = run("stat", "--format=%a %u", path).split()
        user = run("stat", "--format=%u", f"/proc/{trial.pid(unit)}").strip()
        assert (mode, owner) == ("600", user), f"{path}: mode {mode}, of user {owner}; the unit's is {user}"
    return f"TLS, known as kitchen {known_s:.1f} s after it enrolled; keys 600, each unit's own"
