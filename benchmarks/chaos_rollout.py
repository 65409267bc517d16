"""Kills who tries, promotes and rolls back candidates, at any line of it, and looks whether what is left fits together.

    scripts/chaos rollout

A child process does what an owner would, on a domain of its own, and kills itself with SIGKILL before a line of the
code that changes anything, or is killed after a drawn time, in the middle of the disk's work. Whoever comes next must
find the state before a step or after it, with the history that leads there; no step that was told as done may be
missing. Then a service is killed while it takes over what was promoted, and must serve that when it comes up again.
"""

import math
import os
import random
import select
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import click
import grpc
import msgspec

from benchmarks import path
from benchmarks.figures import Figure, none, progress, report
from benchmarks.victims import end_in_order, is_sound
from cloud.building import unused
from cloud.building.domain import load_domain
from cloud.changing import copied_domain, operations, rollout_store, shadow_store, trial
from cloud.changing.gate import Rules
from cloud.changing.operations import Operations
from cloud.changing.rollout import Step, Subject
from cloud.changing.rollout_store import BACK_MAX, RolloutStore
from cloud.changing.running import served_settings
from cloud.settings import CloudSettings, Domains, Storage
from common import migration, private_files
from common.errors import RolloutError
from protos import speech_pb2, speech_pb2_grpc

WATCHED = frozenset(
    str(module.__file__)
    for module in (copied_domain, migration, operations, private_files, rollout_store, shadow_store, trial, unused)
)
"""Files before whose lines a child kills itself."""

SUBJECT = Subject("domain", "shop")
WHO = "chaos"
STEPS_MAX = 12
WAIT_S = 60.0
MENUS = 4


class Findings(NamedTuple):
    """What came of a trial."""

    kills: Counter[str]
    """By what was under way."""
    steps: int
    """That were told as done."""
    torn: list[str]
    """States that the history does not lead to, or files that are damaged."""
    lost: list[str]
    """Steps that were told as done, and are not in the history."""
    doubled: list[str]
    """Steps that are in the history more often than they were begun."""
    broken: list[str]
    """Candidates that cannot be read."""
    wrong: list[str]
    """What a service served when it came up again, and should not."""


class Shop:
    """A domain with several next versions, and what belongs to its service."""

    def __init__(self, folder: Path) -> None:
        self.settings = CloudSettings(
            domains=Domains(serve=(str(_menu(folder / "own", "milk")),)), storage=Storage(state_dir=folder / "state")
        )
        self.menus = [_menu(folder / f"menu-{number}", f"tea-{number}") for number in range(MENUS)]
        self.file = folder / "state" / rollout_store.FILE_NAME

    def operations(self) -> Operations:
        return Operations(self.settings, WHO)

    def step(self, draw: random.Random) -> str:
        """The next thing that an owner does; its name."""
        owner = self.operations()
        if owner.candidate(SUBJECT) is None:
            with closing(RolloutStore(self.file)) as store:
                serves = store.serving(SUBJECT) is not None
            if serves and draw.random() < 0.5:
                owner.rollback(SUBJECT, "it was better before")
                return "rollback"
            share = draw.choice([0.0, 0.2])
            try:
                owner.begin_domain(str(draw.choice(self.menus)), share, "new", Rules(), automatic=False)
            except RolloutError:
                # It serves already.
                return "begin refused"
            return "canary" if share else "shadow"
        match draw.randrange(4):
            case 0:
                owner.rollback(SUBJECT, "no")
                return "rollback"
            case 1:
                owner.canary(SUBJECT, 0.3, "more", automatic=False)
                return "canary"
            case _:
                owner.promote(SUBJECT, "good", anyway=True)
                return "promote"


def replayed(history: list[Step]) -> tuple[dict[int, str], list[str]]:
    """The state of each rollout, and the stack of what serves: by the history alone."""
    states: dict[int, str] = {}
    stack: list[str] = []
    for step in history:
        assert states.get(step.rollout, "") == step.before, f"it was {states.get(step.rollout)}, not {step.before}"
        states[step.rollout] = step.after
        if step.after == "promoted":
            stack = [*stack, step.candidate][-BACK_MAX:]
        if step.action == "rollback" and step.before == "promoted":
            assert stack.pop() == step.candidate
        assert step.serves == (stack[-1] if stack else ""), "the history says wrongly what serves"
    return states, stack


def faults(shop: Shop) -> list[str]:
    """What does not hold together."""
    if not shop.file.exists():
        return []
    found = [] if is_sound(shop.file) else ["the file is damaged"]
    with closing(RolloutStore(shop.file)) as store:
        history = store.history()
        serving, active = store.serving(SUBJECT), store.active(SUBJECT)
    try:
        states, stack = replayed(history)
    except (AssertionError, IndexError) as error:
        return [*found, f"the history does not fit together: {error}"]
    tried = [state for state in states.values() if state in ("shadow", "canary")]
    if tried != ([] if active is None else [active.state]):
        found.append(f"tried: {tried} by the history, {active} by the state")
    if (stack[-1] if stack else None) != (None if serving is None else serving.what):
        found.append(f"serves: {stack[-1:]} by the history, {serving} by the state")
    if served_settings(shop.settings).domains.serve != ((stack[-1],) if stack else shop.settings.domains.serve):
        found.append("a service would serve something else")
    return found


def unreadable(shop: Shop) -> list[str]:
    """Candidates that are tried, serve, or may be gone back to, and are not there as they were."""
    if not shop.file.exists():
        return []
    with closing(RolloutStore(shop.file)) as store:
        folders = [Path(folder) for folder in store.needed("domain")]
    return [str(one) for one in folders if one.parent.name != f"{one.name}-{load_domain(str(one)).version}"]


def child(shop: Shop, seed: int, lines: int | None, said: int) -> None:
    """Steps until the death; tells each before and after."""
    draw, left = random.Random(seed), lines
    # What nobody needs is erased at once.
    unused.UNUSED_S_MIN = -math.inf

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename not in WATCHED:
            return None
        if event == "line" and left is not None:
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    if lines is not None:
        sys.settrace(trace)
    for _ in range(STEPS_MAX):
        os.write(said, b"begun\n")
        name = shop.step(draw)
        os.write(said, f"done {name}\n".encode())
    sys.settrace(None)


def run_child(shop: Shop, seed: int, lines: int | None, after_s: float | None) -> tuple[bool, list[str]]:
    """Whether it was killed, and what it said."""
    hear, said = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(hear)
        try:
            child(shop, seed, lines, said)
        finally:
            os._exit(0)
    os.close(said)
    if after_s is not None:
        # Until then, or its end.
        select.select([hear], [], [], WAIT_S)
        time.sleep(after_s)
        os.kill(pid, signal.SIGKILL)
    with os.fdopen(hear) as stream:
        lines_said = stream.read().split("\n")[:-1]
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status), lines_said


def trial_of(folder: Path, kills: int, services: int, seed: int) -> Findings:
    """Kills children so often, and a service so often."""
    draw = random.Random(seed)
    shop = Shop(folder)
    found = Findings(Counter(), 0, [], [], [], [], [])
    steps = 0
    number = 0
    while found.kills.total() < kills:
        number += 1
        before = _history(shop)
        by_line = number % 2 == 1
        killed, said = run_child(
            shop,
            draw.randrange(1 << 30),
            draw.randrange(1, 1200) if by_line else None,
            None if by_line else draw.uniform(0, 0.15),
        )
        done = [line for line in said if line.startswith("done")]
        under_way = said.count("begun") - len(done)
        if killed:
            found.kills["between two lines" if by_line else "at a drawn time"] += 1
        after = _history(shop)
        counted = [line for line in done if "refused" not in line]
        grown = len(after) - len(before)
        steps += len(counted)
        if after[: len(before)] != before:
            found.torn.append(f"{number}: the history was rewritten")
        if grown < len(counted):
            found.lost.append(f"{number}: {len(counted)} done, {grown} in the history")
        if grown > len(counted) + under_way:
            found.doubled.append(f"{number}: {len(counted)} done, {under_way} under way, {grown} in the history")
        found.torn.extend(f"{number}: {fault}" for fault in faults(shop))
        found.broken.extend(f"{number}: {one}" for one in unreadable(shop))
        progress(f"{found.kills.total()} kills of {kills}, {steps} steps done")
    for number in range(services):
        found.wrong.extend(f"service {number}: {fault}" for fault in kill_service(shop, draw))
        found.kills["the service, as it takes over"] += 1
        progress(f"{number + 1} services of {services}")
    return found._replace(steps=steps)


def kill_service(shop: Shop, draw: random.Random) -> list[str]:
    """A service is killed some time after a candidate was promoted, and comes up again; what is wrong then."""
    owner = shop.operations()
    if owner.candidate(SUBJECT) is not None:
        owner.rollback(SUBJECT, "for the service")
    state_dir = shop.settings.storage.state_dir
    serve = {
        "domains_serve": ",".join(shop.settings.domains.serve),
        "decoding_whisper": "false",
        "decoding_workers": "1",
    }
    with path.service(state_dir, **serve) as service:
        menus = [menu for menu in shop.menus if load_domain(str(menu)).version != _served_version(service.address)]
        owner.begin_domain(str(menus[0]), draw.choice([0.0, 0.5]), "new", Rules(), automatic=False)
        time.sleep(draw.uniform(0, 3))
        if draw.random() < 0.5:
            owner.promote(SUBJECT, "good", anyway=True)
        else:
            owner.rollback(SUBJECT, "no")
        time.sleep(draw.uniform(0, 3))
        service.process.kill()
        service.process.wait(WAIT_S)
    with closing(RolloutStore(shop.file)) as store:
        serving = store.serving(SUBJECT)
    wanted = load_domain(shop.settings.domains.serve[0]).version if serving is None else serving.version
    found = faults(shop)
    with path.service(state_dir, **serve) as service:
        if (served := _served_version(service.address)) != wanted:
            found.append(f"serves {served}, not {wanted}")
    return found


def _served_version(address: str) -> str:
    with grpc.insecure_channel(address) as channel:
        stub = speech_pb2_grpc.SpeechStub(channel)  # type: ignore[no-untyped-call]
        described = stub.Describe(speech_pb2.DescribeRequest(), timeout=WAIT_S)
    return str(described.domains[0].version)


def _history(shop: Shop) -> list[bytes]:
    if not shop.file.exists():
        return []
    with closing(RolloutStore(shop.file)) as store:
        return [msgspec.json.encode(step) for step in store.history()]


def _menu(folder: Path, drink: str) -> Path:
    menu = folder / SUBJECT.name
    menu.mkdir(parents=True)
    (menu / "catalogue.jsonl").write_text(f'{{"id": "{drink}", "title": "{drink}"}}\n')
    return menu


def figures(found: Findings, kills: int) -> list[Figure]:
    each = ", ".join(f"{count} {how}" for how, count in sorted(found.kills.items()))
    return [
        Figure("kill -9", f"{kills}", f"{found.kills.total()}: {each}", found.kills.total() >= kills),
        Figure("steps told as done", "-", found.steps, True),
        none("states that the history does not lead to, or damaged files", found.torn),
        none("steps told as done, and lost", found.lost),
        none("steps done twice", found.doubled),
        none("candidates that cannot be read", found.broken),
        none("services that came up with something else", found.wrong),
    ]


@click.command()
@click.option("--kills", type=int, default=200, show_default=True, help="How often who changes something is killed.")
@click.option("--services", type=int, default=10, show_default=True, help="How often a service is killed, after that.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of when, and what is done.")
def main(kills: int, services: int, seed: int) -> None:
    """Kill who changes models and domains, and the service that follows."""
    end_in_order()
    with tempfile.TemporaryDirectory(prefix="chaos", dir="/var/tmp") as folder:
        found = trial_of(Path(folder), kills, services, seed)
    for fault in (*found.torn, *found.lost, *found.doubled, *found.broken, *found.wrong):
        click.echo(fault, err=True)
    report(figures(found, kills + services))


if __name__ == "__main__":
    main()
