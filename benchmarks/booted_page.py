"""What is tried in the container of the page, the board's and that of phones without one."""

import json
from typing import Any

from benchmarks import booted_checks as checks
from benchmarks.booted_checks import EDGE, SOUND
from benchmarks.booted_trial import Trial

UNIT = "parrotlet-page"

PORT = 7409

STATE = f"/var/lib/private/{EDGE}"
"""Of both."""

_PHONE = ("/opt/parrotlet/.venv/bin/python", "/src/benchmarks/booted_phone.py")


def phone(trial: Trial, *arguments: str) -> Any:
    """What a phone says that is paired already; see booted_phone.py."""
    return json.loads(trial.container.out(*_PHONE, *arguments).splitlines()[-1])


def knows_no_stranger(trial: Trial) -> str:
    shown = json.loads(trial.container.out("parrotlet-edge", "phones", "certificate", "--json"))
    seen = phone(trial, "stranger")
    assert seen["fingerprint"] == shown["fingerprint"].replace(":", "").lower(), "another certificate"
    assert (seen["/"], seen["/answers"]) == (200, 401), seen
    assert "pair.js" in seen["text"], "not the page to pair"
    return f"{seen['tls']}, the certificate that `phones certificate` shows; the pairing page and nothing else"


def pairs(trial: Trial, unit: str) -> str:
    """Root's commands beside a unit whose user systemd made up."""
    code = trial.container.out("parrotlet-edge", "pair", "--code").strip()
    assert phone(trial, "pair", code)["status"] == 200
    again = phone(trial, "stranger", code)
    assert again["paired"] == 403, "a code is good twice"
    (known,) = trial.container.out("parrotlet-edge", "phones", "list", "--json").splitlines()
    mode, owner = trial.container.out("stat", "--format=%a %u", f"{STATE}/page/phones.json").split()
    user = trial.container.out("stat", "--format=%u", f"/proc/{trial.pid(unit)}").strip()
    assert (mode, owner) == ("600", user), f"mode {mode}, of user {owner}; the unit's is {user}"
    return f"by root's `pair --code`; the code is good once; {json.loads(known)['name']}; the unit's own file, mode 600"


def shows_answers(trial: Trial) -> str:
    if not (trial.container.root / "usr/bin/pulseaudio").exists():
        return f"hello of {phone(trial, 'events', 'hello')['board']}; no answer: no pulseaudio in this Debian"
    trial.wait(lambda: trial.status().get("microphone", {}).get("state") == "open")
    with trial.container.start(*_PHONE, "events", "answer") as looking:
        assert looking.stdout is not None
        board = json.loads(looking.stdout.readline())["board"]
        trial.container.out("env", f"PULSE_SERVER=unix:{SOUND}", "paplay", "/srv/timer.wav")
        answer = json.loads(looking.communicate(timeout=60)[0].splitlines()[-1])
    assert answer["results"][0]["title"] == "Timer for 10 minutes", answer
    return f'hello of {board}, then "{answer["transcript"]}" with {len(answer["results"])} results'


def stays_paired(trial: Trial, unit: str) -> str:
    pid = trial.pid(unit)
    trial.signal("KILL", pid)
    after_s = trial.again(unit, pid)
    board = phone(trial, "events", "hello")["board"]
    assert phone(trial, "stranger")["fingerprint"], "no certificate"
    return f"ready again after {after_s:.1f} s, the phone is paired still: hello of {board}"


def shuts_out(trial: Trial) -> str:
    trial.container.out("parrotlet-edge", "phones", "revoke", "--all")
    assert phone(trial, "answers")["status"] == 401
    return "by root's `phones revoke`: it is a stranger at once"


def is_put_in_place(trial: Trial) -> str:
    """The page for phones without a board, where there was one: the same settings, state and identity."""
    trial.container.out("/src/scripts/install", "--page")
    assert trial.show(EDGE, "LoadState") == "not-found", "there are both"
    file = f"/etc/systemd/system/{UNIT}.service"
    complaints = trial.container.run("systemd-analyze", "verify", "--man=no", file).stderr
    assert UNIT not in complaints, complaints
    judged = trial.container.run("systemd-analyze", "security", "--no-pager", f"{UNIT}.service").stdout
    exposure = judged.split("Overall exposure level")[1].split(":")[1].split()[0]
    return f"{checks.is_ready(trial, UNIT)}; {checks.is_closed(trial, UNIT, EDGE)}; exposure {exposure}"


def hears_phones(trial: Trial) -> str:
    before = memory(trial)
    answers = phone(trial, "say", "/srv/timer.wav")["answers"]
    assert answers[0]["results"][0]["title"] == "Timer for 10 minutes", answers
    places = trial.container.out("ls", f"{STATE}/phones").split()
    assert len(places) == 1, places
    most = f"{int(trial.show(UNIT, 'MemoryMax')) >> 20} MiB and {trial.show(UNIT, 'TasksMax')} tasks at most"
    return f'"{answers[0]["transcript"]}" by {answers[0]["path"]}; {before}, now {memory(trial)}; {most}'


def memory(trial: Trial) -> str:
    lines = trial.container.out("cat", f"/proc/{trial.pid(UNIT)}/status").splitlines()
    said = {name: value.split() for name, value in (line.split(":", 1) for line in lines)}
    return f"{int(said['VmRSS'][0]) // 1024} MiB resident, {said['Threads'][0]} threads"


def erases(trial: Trial) -> str:
    """What a phone said goes when it is revoked: by the command, or by who has it open."""
    said = trial.container.out("parrotlet-edge", "phones", "revoke", "--all").splitlines()
    after_s = trial.wait(lambda: not trial.container.out("ls", f"{STATE}/phones").split(), s_max=30)
    journal = [str(line["MESSAGE"]) for line in trial.journal("parrotlet-cloud")]
    erased = [line for line in journal if ".phone-" in line and line.endswith(" had 1 of its utterances erased")]
    assert erased, "the service was not asked"
    return f'"{said[-1]}"; nothing is left after {after_s:.1f} s, and the service: "{erased[-1].split(" ", 1)[1]}"'


def gives_way(trial: Trial) -> str:
    trial.container.out("/src/scripts/install", "--edge")
    assert trial.show(UNIT, "LoadState") == "not-found", "there are both"
    return checks.is_ready(trial, EDGE)
