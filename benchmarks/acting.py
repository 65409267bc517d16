"""Acting when what acts is away, slow or wrong: how often each thing was done, and how long whoever told was held.

    scripts/bench acting

Utterances are told to a runner with a broker, a webhook and a program. The broker (mosquitto) is killed and comes back;
the webhook's server is slow, refuses for now, breaks off after it has acted, redirects, or answers without end, as
drawn; the program now and then fails, or hangs. Then a runner is killed (-9) again and again while it acts, and is told
all utterances anew each time.
"""

import json
import logging
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from benchmarks import acting_kills, mosquitto
from benchmarks.figures import Figure, none, progress, report
from benchmarks.hook_server import Answer, Handler, HookServer, answered
from benchmarks.listener_at_broker import ListenerAtBroker
from benchmarks.mosquitto import Mosquitto
from edge.actions.acting import Sinks
from edge.actions.action_log import FILE_NAME, ActionLog, Entry, State
from edge.actions.runner import Runner
from edge.asking.answer import Answer as SpokenAnswer
from edge.settings import Actions, EdgeSettings, Mqtt, Program, Webhook
from edge.spool.event import Event, Kind

EVERY_S = 0.4
"""Between two utterances."""

DOWN_S = (0.5, 3.0)
"""How long the broker is away, drawn."""

TRY_S_MAX = 0.5
AGE_S_MAX = 20.0

HELD_MS_MAX = 20.0
"""The mark: a block of sound. Nobody who hears is held at all; it is the network's thread that tells."""

STATES = (State.DONE, State.FAILED, State.TOO_LATE, State.NO_ROOM)


class Acted(NamedTuple):
    """How often each utterance was acted on, as those who act saw it."""

    sink: str
    times: Mapping[str, int]


class Server:
    """A webhook's, which acts once a key, and misbehaves as drawn."""

    def __init__(self, hooks: HookServer, draw: random.Random) -> None:
        self.acted: Counter[str] = Counter()
        self.again = 0
        """Requests whose key had been acted on."""
        self._hooks = hooks
        self._draw = draw
        self._lock = threading.Lock()
        hooks.usual = self.answer

    def answer(self, handler: Handler) -> None:
        with self._lock:
            act = self._act
            chosen: Answer = self._draw.choices(
                [
                    lambda handler: answered(200)(act(handler)),
                    lambda handler: self._hooks.over.wait(2 * TRY_S_MAX) and None or answered(200)(act(handler)),
                    lambda handler: act(handler).connection.close(),
                    answered(503),
                    answered(307, {"location": self._hooks.url}),
                    lambda handler: self._without_end(act(handler)),
                ],
                weights=[60, 10, 8, 12, 2, 8],
            )[0]
        chosen(handler)

    def _act(self, handler: Handler) -> Handler:
        key = handler.headers["idempotency-key"]
        with self._lock:
            if self.acted[key]:
                self.again += 1
            else:
                self.acted[key] += 1
        return handler

    def _without_end(self, handler: Handler) -> None:
        answered(200)(handler)
        while not self._hooks.over.wait(0.05):
            handler.wfile.write(b"x" * 1024)


@click.command()
@click.option("--utterances", type=int, default=200, show_default=True)
@click.option("--broker-kills", type=int, default=5, show_default=True)
@click.option("--kills", type=int, default=20, show_default=True, help="Of a runner that acts.")
@click.option("--seed", type=int, default=1, show_default=True)
def main(utterances: int, broker_kills: int, kills: int, seed: int) -> None:
    """Count what was done once, twice or not at all."""
    if reason := mosquitto.why_not():
        raise click.ClickException(reason)
    # What fails is counted.
    logging.getLogger("edge").addHandler(logging.NullHandler())
    print(f"\n{utterances} utterances, one every {EVERY_S:g} s; broker killed {broker_kills} times\n")
    with tempfile.TemporaryDirectory() as folder:
        acted, entries, held_ms, again = trial(Path(folder), utterances, broker_kills, random.Random(seed))
    figures = table(acted, entries, utterances)
    print(f"\nrequests that the webhook's server saw again by the same key, and did not act on: {again}")
    print(f"whoever told was held for {np.median(held_ms):.3f} ms (median), {max(held_ms):.2f} ms (longest)")
    with tempfile.TemporaryDirectory() as folder:
        killed = acting_kills.trial(Path(folder), utterances, kills, random.Random(seed))
    print(f"\na runner killed {kills} times while it acted, and told all {utterances} each time: ", end="")
    print(f"done once {killed.once}; cut off, and said so, {killed.cut_off}, of which {killed.cut_off_and_done} done")
    print(f"\nmemory that a broker costs: {memory_mib():.1f} MiB")
    report(
        [
            *figures,
            Figure(
                "longest time held", f"<= {HELD_MS_MAX:g} ms", f"{max(held_ms):.2f} ms", max(held_ms) <= HELD_MS_MAX
            ),
            none("killed: done twice", killed.twice),
            none("killed: not done, and not said", killed.silent),
        ]
    )


def trial(
    folder: Path, utterances: int, broker_kills: int, draw: random.Random
) -> tuple[list[Acted], list[Entry], list[float], int]:
    """Who acted how often, the log, the ms that each telling took, and requests seen again."""
    with ExitStack() as entered:
        house = entered.enter_context(Mosquitto(folder))
        hooks = entered.enter_context(HookServer())
        listener = entered.enter_context(ListenerAtBroker(house.port, "parrotlet/+/action"))
        server = Server(hooks, draw)
        settings = EdgeSettings(
            actions=Actions(
                webhooks=(Webhook("webhook", hooks.url, try_s_max=TRY_S_MAX),),
                programs=(Program("program", _script(folder), ("*",), TRY_S_MAX),),
            ),
            mqtt=Mqtt(address=house.address, tls=False, discovery=""),
        )
        sinks = entered.enter_context(Sinks(settings))
        log = ActionLog(folder / FILE_NAME)
        runner = entered.enter_context(
            Runner(sinks.all, log, device_id="bench", age_s_max=AGE_S_MAX, days_max=30, boot_id="bench")
        )
        over = threading.Event()
        killing = threading.Thread(
            target=_kill, args=(house, listener, broker_kills, utterances * EVERY_S, draw.random(), over)
        )
        killing.start()
        held_ms = []
        for number in range(utterances):
            event = spoken(number)
            began_s = time.perf_counter()
            runner.take(event)
            held_ms.append((time.perf_counter() - began_s) * 1000)
            progress(f"{number + 1} of {utterances} utterances")
            time.sleep(EVERY_S)
        over.set()
        killing.join()
        _until(lambda: all(sum(one["outcomes"].values()) == utterances for one in runner.status()["sinks"]))
        listener.publish("parrotlet/bench/action", b'{"utterance_id": "last"}')
        listener.wait(lambda heard: b'"last"' in heard.payload)
        progress("")
        with closing(ActionLog(folder / FILE_NAME)) as read:
            entries = read.entries()
        published = Counter(json.loads(heard.payload)["utterance_id"] for heard in listener.heard)
        acted = [
            Acted("mqtt", published),
            Acted("webhook", Counter({key.removesuffix(".webhook"): n for key, n in server.acted.items()})),
            Acted("program", Counter((folder / "acted").read_text().split())),
        ]
        return acted, entries, held_ms, server.again


def table(acted: list[Acted], entries: list[Entry], utterances: int) -> list[Figure]:
    """Prints what came of it; what must be 0."""
    print("| sink | acted once | twice | not acted, and said so | acted, and said not | not acted, and said done |")
    print("|---|---|---|---|---|---|")
    figures = []
    for one in acted:
        done = {entry.utterance_id for entry in entries if entry.sink == one.sink and entry.state is State.DONE}
        ids = [f"u{number}" for number in range(utterances)]
        once = [id_ for id_ in ids if one.times.get(id_) == 1]
        twice = [id_ for id_ in ids if one.times.get(id_, 0) > 1]
        never = [id_ for id_ in ids if not one.times.get(id_)]
        silent = [id_ for id_ in never if id_ in done]
        unsure = [id_ for id_ in once if id_ not in done]
        said_so = len(never) - len(silent)
        print(f"| {one.sink} | {len(once)} | {len(twice)} | {said_so} | {len(unsure)} | {len(silent)} |")
        figures += [none(f"{one.sink}: acted twice", twice), none(f"{one.sink}: not acted, and said done", silent)]
    counts = Counter((entry.sink, entry.state) for entry in entries)
    print("\n| sink | " + " | ".join(STATES) + " |\n|---" * 1 + "|---" * len(STATES) + "|")
    for one in acted:
        print(f"| {one.sink} | " + " | ".join(str(counts[one.sink, state]) for state in STATES) + " |")
    return figures


def spoken(number: int) -> Event:
    """A final that asks for something."""
    answer = SpokenAnswer("cloud", transcript="light on", intent="turnOn", action="light.on", values={"n": str(number)})
    at_us = time.time_ns() // 1000
    return Event(f"u{number}", Kind.FINAL, at_us, at_us, answer)


def memory_mib() -> float:
    """What a board with a broker has more of its own than one without."""
    with tempfile.TemporaryDirectory() as folder, Mosquitto(Path(folder)) as house:
        return _own_mib(house.address) - _own_mib("")


def _own_mib(address: str) -> float:
    code = f"""
import edge.board.daemon, edge.asking.services
from edge.actions.acting import Sinks
from edge.settings import EdgeSettings, Mqtt
with Sinks(EdgeSettings(mqtt=Mqtt(address={address!r}, tls=False))) as sinks:
    while sinks.broker and sinks.broker.down:
        pass
    lines = open("/proc/self/smaps_rollup").read().splitlines()
    print(next(line for line in lines if line.startswith("Private_Dirty")).split()[1])
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(said.stdout) / 1024


def _script(folder: Path) -> tuple[str, ...]:
    """Acts; of 20 it hangs once, and fails once before it acts."""
    script = folder / "act"
    script.write_text(
        "#!/bin/sh\ncase $2 in *7) [ $((${2#u} % 20)) = 7 ] && exec sleep 60;; *3) [ $((${2#u} % 20)) = 3 ] && exit 1;;"
        f' esac\necho "$2" >> {folder / "acted"}\n'
    )
    script.chmod(0o755)
    return (str(script), "--", "{utterance_id}")


def _kill(
    house: Mosquitto, listener: ListenerAtBroker, times: int, length_s: float, seed: float, over: threading.Event
) -> None:
    """At drawn moments; it stays away for a while."""
    draw = random.Random(seed)
    for _ in range(times):
        over.wait(draw.uniform(0.5, 1.0) * (length_s / times - DOWN_S[1]))
        house.kill()
        listener.wait_gone()
        over.wait(draw.uniform(*DOWN_S))
        house.start()


def _until(true: Callable[[], bool]) -> None:
    until_s = time.monotonic() + 2 * AGE_S_MAX + 60
    while not true():
        assert time.monotonic() < until_s, "it does not end"
        time.sleep(0.05)


if __name__ == "__main__":
    main()
