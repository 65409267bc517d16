"""Kills a board that fetches, tries, promotes and sends back versions of its model, at any line of it, and looks
whether what is left fits together.

    scripts/chaos models

A child process does what a daemon does with its slots, beside a service that offers one version after the other, over a
link that breaks, with people who agree with a version or do not. It kills itself with SIGKILL before a line of the code
that changes anything, or is killed after a drawn time, in the middle of the disk's work or of a model's trial. What is
there then must be the state before a step or after it, each model that counts whole, nothing that was told as done
missing, and no piece to be fetched twice. Then a service is killed while it sends models, and a board must have
all of them in the end.
"""

import asyncio
import os
import random
import select
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, cast

import click
import msgspec

from benchmarks.figures import Figure, none, progress, report
from benchmarks.victims import Service, end_in_order
from cloud.changing.board_operations import BoardOperations
from cloud.settings import CloudSettings, Storage
from common import private_files
from edge.asking.cloud_channel import CallFailed, Trouble
from edge.asking.cloud_client import CloudClient
from edge.asking.link import Link
from edge.asking.network import Network
from edge.local.model import Model, read_model
from edge.models import STATE_FILE, listening, self_test, state, store, trial, updating
from edge.models.state import Held, State
from edge.models.store import PART, Store
from edge.models.trial import Said
from edge.models.updating import Updating
from edge.models.utterances import Utterance
from edge.settings import MODELS_DIR, Cloud
from protos import speech_pb2
from protos.feature_spec import DEFAULT_SPEC
from protos.model_card import CARD_FILE, MODEL_FILE, ModelCardError, read_model_card, sha256, write_model_card
from protos.model_package import PIECE_BYTES_MAX, read_package

WATCHED = frozenset(str(module.__file__) for module in (listening, private_files, self_test, state, store, updating))
"""Files before whose lines a child kills itself."""

SHIPPED = MODELS_DIR / "home-v1"
NAME = "home-v1"
VERSIONS = 4
PADDING = 4 * PIECE_BYTES_MAX
"""So that fetching one takes a dozen pieces."""
RUN_S = 10.0
"""Longest life of a child."""
DEATHS_MAX = 1000
LINES_MAX = 9000
AFTER_S_MAX = 6.0
"""After its first step."""
WAIT_S = 60.0


class Findings(NamedTuple):
    """What came of a trial."""

    kills: Counter[str]
    """By what was under way."""
    done: Counter[str]
    """Steps that were told as done."""
    torn: list[str]
    """States that cannot be read, or with models that are not whole."""
    lost: list[str]
    """Steps that were told as done, and are not in the history."""
    refetched: list[str]
    """Pieces that were told as kept, and are not there."""
    litter: list[str]
    """More on the disk than two models and one that is fetched."""
    mute: list[str]
    """Times when no model was there to answer by."""
    unfetched: list[str]
    """Models that a board did not get from a service that was killed meanwhile."""


def make_version(folder: Path, version: str) -> Path:
    """The shipped model under another version, larger."""
    made = folder / version
    made.mkdir(parents=True)
    content = (SHIPPED / MODEL_FILE).read_bytes() + bytes(PADDING)
    (made / MODEL_FILE).write_bytes(content)
    card = read_model_card(SHIPPED / CARD_FILE)
    write_model_card(made / CARD_FILE, msgspec.structs.replace(card, version=version, model_sha256=sha256(content)))
    return made


class Offering:
    """A service in the child, which offers what is drawn; its link breaks."""

    is_quiet = True
    address = "service"

    def __init__(self, folders: list[Path], draw: random.Random) -> None:
        self._folders = folders
        self._draw = draw
        self._packages = [read_package(folder) for folder in folders]

    async def described_anew(self) -> speech_pb2.DescribeResponse:
        package = self._draw.choice(self._packages)
        model = speech_pb2.BoardModel(
            name=package.card.name,
            version=package.card.version,
            kind=package.card.kind,
            sha256=package.sha256,
            bytes_count=len(package.content),
            card_bytes_count=len(package.card_content),
            feature_spec_fingerprint=package.card.feature_spec_fingerprint,
        )
        withdrawn = [self._draw.choice(self._packages).sha256] if self._draw.random() < 0.01 else []
        return speech_pb2.DescribeResponse(board_models=[model], withdrawn_board_models=withdrawn)

    async def fetch_model(self, name: str, version: str, offset: int) -> AsyncGenerator[speech_pb2.ModelPiece, None]:
        content = next(one.content for one in self._packages if one.card.version == version)
        for at in range(offset, len(content), PIECE_BYTES_MAX):
            await asyncio.sleep(0.002)
            if self._draw.random() < 0.05:
                raise CallFailed("the link broke.", Trouble.BROKEN)
            yield speech_pb2.ModelPiece(offset=at, data=content[at : at + PIECE_BYTES_MAX])

    async def quiet(self) -> None:
        return


class Answering:
    """What answers in the child: it loads its model when it is told of another, as the daemon does when it is asked."""

    def __init__(self) -> None:
        self.guard: Any = None
        self.folder = SHIPPED

    def follow(self, folder: Path) -> None:
        self.folder = folder

    def answer(self) -> None:
        if self.guard is not None:
            with self.guard():
                Model(self.folder, DEFAULT_SPEC)


class Told(Store):
    """Tells what is on the disk."""

    def __init__(self, slots: Path, said: int) -> None:
        """`said`: a pipe's end."""
        super().__init__(slots, SHIPPED)
        self._said = said

    def offset(self, offer: store.Offer) -> int:
        self._tell(f"for {offer.held.sha256}")
        return super().offset(offer)

    def append(self, offer: store.Offer, offset: int, data: bytes) -> int:
        at = super().append(offer, offset, data)
        self._tell(f"at {offer.held.sha256} {at}")
        return at

    def change(self, do: Any) -> State:
        before = self.read().history[-1:]
        after = super().change(do)
        if after.history[-1:] != before:
            self._tell(f"done {after.history[-1].what} {after.history[-1].at_unix_us}")
        return after

    def _tell(self, line: str) -> None:
        os.write(self._said, f"{line}\n".encode())


def child(slots: Path, folders: list[Path], seed: int, lines: int | None, said: int) -> None:
    """A board's life with its models until the death; tells what it has done."""
    draw = random.Random(seed)
    for name, seconds in (("LOOK_S", 0.005), ("FIRST_ASK_S", 0.0), ("ASK_S", 0.05), ("AGAIN_S", 0.01)):
        setattr(updating, name, seconds)
    updating.TOGETHER = 1
    trial.LOOKS, trial.COMMANDS_MIN = (2, 4, 6), 1
    # Who is killed so often has another cause than the model.
    state.DEATHS_MAX = DEATHS_MAX
    own, service = Answering(), Offering(folders, draw)
    link = Link(cast(Any, service))
    cast(Any, link).failed = lambda error: None
    kept = Updating(lambda: Told(slots, said), NAME, DEFAULT_SPEC, service, link, own)
    if lines is not None:
        trace = _killing(lines)
        sys.settrace(trace)
        threading.settrace(trace)
    asyncio.run(_live(kept, own, lambda: Told(slots, said), draw))
    sys.settrace(None)


def _killing(lines: int) -> Callable[[FrameType, str, Any], Any]:
    """A trace that kills the process before the line that comes after so many of those that are watched."""
    left = lines
    lock = threading.Lock()

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename not in WATCHED:
            return None
        if event == "line":
            with lock:
                left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    return trace


async def _live(kept: Updating, own: Answering, slots: Callable[[], Told], draw: random.Random) -> None:
    """What a board does with models, its owner and who speaks to it among others, for a while."""
    silence = Utterance(bytes(150 * DEFAULT_SPEC.bands), 500)
    running = asyncio.create_task(kept.run())
    for _ in range(int(RUN_S / 0.05)):
        await asyncio.sleep(0.05)
        if running.done():
            await running
        if kept.state.candidate is not None and kept.state.is_tested:
            # Silence is heard as nothing by both; what was said is a command, or none.
            kept._hold(silence, Said(draw.choice(["lights on", "something else"]), None))
        if draw.random() < 0.2:
            await asyncio.to_thread(own.answer)
        if draw.random() < 0.015:
            await asyncio.to_thread(slots().change, lambda state, at: state.takes_back(at, "the owner"))
        if draw.random() < 0.03:
            await asyncio.to_thread(slots().change, lambda state, at: state.again(at, "the owner"))
    running.cancel()


def run_child(
    slots: Path, folders: list[Path], seed: int, lines: int | None, after_s: float | None
) -> tuple[bool, list[str]]:
    """Whether it was killed, and what it said."""
    hear, said = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(hear)
        try:
            child(slots, folders, seed, lines, said)
        finally:
            os._exit(0)
    os.close(said)
    told: list[str] = []
    with os.fdopen(hear) as stream:
        if after_s is not None:
            select.select([stream], [], [], WAIT_S)
            time.sleep(after_s)
            os.kill(pid, signal.SIGKILL)
        told = stream.read().split("\n")[:-1]
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status), told


def look(slots: Path, told: list[str], found: Findings, number: int, at_before: int) -> None:
    """At what a death has left."""
    file = slots / STATE_FILE
    now = State()
    if file.exists():
        try:
            now = msgspec.json.decode(file.read_bytes(), type=State)
        except msgspec.DecodeError as error:
            found.torn.append(f"{number}: {error}")
    for held in now.kept:
        if _hash(slots / held.folder) != held.sha256:
            found.torn.append(f"{number}: {held} is not whole")
    there = {f"{line.what} {line.at_unix_us}" for line in now.history}
    oldest = now.history[0].at_unix_us if now.history else at_before
    for line in told:
        what, _, rest = line.partition(" ")
        if what == "done" and int(rest.split()[1]) >= oldest and rest not in there:
            found.lost.append(f"{number}: {rest}")
        if what == "done":
            found.done[rest.split()[0]] += 1
    _look_for_pieces(slots, told, now, found, number)
    try:
        read_model(SHIPPED if now.current is None else slots / now.current.folder, DEFAULT_SPEC)
    except Exception as error:
        found.mute.append(f"{number}: {error}")


def _look_for_pieces(slots: Path, told: list[str], now: State, found: Findings, number: int) -> None:
    """The last ones that were told as kept: there, unless the model is whole, or another is fetched since."""
    pieces = [line for line in told if line.startswith(("at", "for", "done fetched", "done reset"))]
    while pieces and pieces[-1].startswith("for"):
        # Whoever begins with another drops what there was.
        wanted = pieces.pop().split()[1]
        if not pieces or wanted not in pieces[-1]:
            return
    if pieces and pieces[-1].startswith("at"):
        _, sha, at = pieces[-1].split()
        part = slots / f"{sha}{PART}"
        size = part.stat().st_size if part.exists() else 0
        is_whole = any(_hash(folder) == sha for folder in slots.iterdir() if folder.is_dir())
        if size < int(at) and not is_whole and sha not in now.refused:
            found.refetched.append(f"{number}: {size} of {at} bytes of {sha[:12]} are there")


def after_a_start(slots: Path, found: Findings, number: int) -> None:
    """What is there once a daemon has begun again."""
    now = Store(slots, SHIPPED).begin()
    models = [entry for entry in slots.iterdir() if entry.is_dir()]
    parts = list(slots.glob(f"*{PART}"))
    others = [entry.name for entry in slots.iterdir() if entry.name not in (STATE_FILE, "lock") and entry not in parts]
    if {entry.name for entry in models} != set(others) or set(others) != {held.folder for held in now.kept}:
        found.litter.append(f"{number}: {others}, of which {[held.folder for held in now.kept]} count")
    if len(models) > 2 or len(parts) > 1:
        found.litter.append(f"{number}: {len(models)} models and {len(parts)} parts")


def trial_of(folder: Path, kills: int, services: int, seed: int) -> Findings:
    """Kills boards so often, and a service so often."""
    draw = random.Random(seed)
    slots = folder / "models" / NAME
    folders = [make_version(folder / "offered", str(number + 2)) for number in range(VERSIONS)]
    found = Findings(Counter(), Counter(), [], [], [], [], [], [])
    usual, state.DEATHS_MAX = state.DEATHS_MAX, DEATHS_MAX
    number = 0
    while found.kills.total() < kills:
        number += 1
        by_line = number % 2 == 1
        began_at = time.time_ns() // 1000
        lines = round(LINES_MAX ** draw.random()) if by_line else None
        killed, told = run_child(
            slots, folders, draw.randrange(1 << 30), lines, None if by_line else draw.uniform(0, AFTER_S_MAX)
        )
        if killed:
            found.kills["between two lines" if by_line else "at a drawn time"] += 1
        if slots.exists():
            look(slots, told, found, number, began_at)
            after_a_start(slots, found, number)
        progress(f"{found.kills.total()} kills of {kills}, {found.done.total()} steps done")
    state.DEATHS_MAX = usual
    if services:
        found.unfetched.extend(kill_services(folder / "real", services, draw, found))
    return found


def kill_services(folder: Path, kills: int, draw: random.Random, found: Findings) -> list[str]:
    """A service is killed while a board fetches, again and again; versions that the board has not got in the end."""
    state_dir, slots = folder / "service", folder / "models" / NAME
    owner = BoardOperations(CloudSettings(storage=Storage(state_dir=state_dir)), "chaos")
    shop = folder / "shop"
    shop.mkdir(parents=True)
    (shop / "catalogue.jsonl").write_text('{"id": "tea", "title": "tea"}\n')
    missing = []
    for name, seconds in (("LOOK_S", 0.05), ("FIRST_ASK_S", 0.0), ("ASK_S", 0.2), ("AGAIN_S", 0.1)):
        setattr(updating, name, seconds)
    service = Service(state_dir)
    for number in range(kills):
        version = f"{number + 100}"
        owner.offer(make_version(folder / "offered", version), 1.0, "next")
        with service, CloudClient(Cloud(address=service.address), device_id="kitchen") as client:
            link = Link(client)
            kept = Updating(lambda: Store(slots, SHIPPED), NAME, DEFAULT_SPEC, client, link, Answering())
            client.network.soon(_keep_up, client.network, kept)
            time.sleep(draw.uniform(0.0, 1.0))
            service.stop()
            found.kills["the service, while it sends"] += 1
            service.start()
            until_s = time.monotonic() + WAIT_S
            while (kept.state.candidate or Held("", "", "")).version != version and time.monotonic() < until_s:
                time.sleep(0.05)
            if (kept.state.candidate or Held("", "", "")).version != version:
                missing.append(f"service {number}: {kept.state.history[-1:]}")
        progress(f"{number + 1} services of {kills}")
    return missing


def _keep_up(network: Network, kept: Updating) -> None:
    """In the network's thread."""
    network.begin(kept.run())


def _hash(folder: Path) -> str:
    with suppress(ModelCardError):
        return read_package(folder).sha256
    return ""


def figures(found: Findings, kills: int) -> list[Figure]:
    each = ", ".join(f"{count} {how}" for how, count in sorted(found.kills.items()))
    steps = ", ".join(f"{count} {what}" for what, count in sorted(found.done.items()))
    return [
        Figure("kill -9", f"{kills}", f"{found.kills.total()}: {each}", found.kills.total() >= kills),
        Figure("steps told as done", "-", f"{found.done.total()}: {steps}", True),
        none("states that cannot be read, or whose models are not whole", found.torn),
        none("steps told as done, and lost", found.lost),
        none("pieces told as kept, and not there", found.refetched),
        none("starts that left more than two models and one that is fetched", found.litter),
        none("times without a model to answer by", found.mute),
        none("versions that a board did not get from a service that was killed", found.unfetched),
    ]


@click.command()
@click.option("--kills", type=int, default=200, show_default=True, help="How often a board is killed.")
@click.option("--services", type=int, default=10, show_default=True, help="How often a service is killed, after that.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of when, and what is offered.")
def main(kills: int, services: int, seed: int) -> None:
    """Kill a board that changes its model, and a service that sends it."""
    end_in_order()
    with tempfile.TemporaryDirectory(prefix="chaos", dir="/var/tmp") as folder:
        found = trial_of(Path(folder), kills, services, seed)
    for fault in (*found.torn, *found.lost, *found.refetched, *found.litter, *found.mute, *found.unfetched):
        click.echo(fault, err=True)
    report(figures(found, kills + services))


if __name__ == "__main__":
    main()
