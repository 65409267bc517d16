"""A board that says what it is told to, behind the real page: server, story and spool are those of a daemon.

For pictures of the page and for tests in a browser, which need each state when they want it.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from starlette.websockets import WebSocketDisconnect

from common.errors import DaemonError
from common.settings import Loaded, load
from edge.asking.answer import Answer, Partial
from edge.asking.group_watch import Watcher
from edge.board.control import Command
from edge.page.page import Page
from edge.page.story import Story
from edge.phones.cookie import cookie_name
from edge.phones.phones import Phones
from edge.phones.shown_certificate import page_directory
from edge.settings import EdgeSettings
from edge.settings import Spool as SpoolSettings
from edge.spool.erasure import Erasure
from edge.spool.event import Event, Kind
from edge.spool.feedback import Feedback
from edge.spool.spool import FILE_NAME, Spool

EXAMPLES = ("set a timer for ten minutes", "turn on the light in the kitchen", "will it rain tomorrow")
INSECURE_NAME = "kitchen.test"
"""The board is called so as well; no browser takes it for its own machine, as it does 127.0.0.1."""
BLOCK_SAMPLES = 320
WAIT_S = 10.0
LOOK_S = 0.02


class NoMicrophones:
    """Phones may speak, says the board; what comes is put down, and nothing is understood."""

    allowed = True

    def __init__(self) -> None:
        self.begun: list[dict[str, Any]] = []
        """How each connection began."""
        self.stretches: list[tuple[int, npt.NDArray[np.int16]]] = []
        """All that came, each with the number of its first sample."""
        self.gaps: list[str] = []
        self.ends = 0
        self.takes = True
        """Reads what phones send; while it does not, it hears nothing and says nothing."""

    @property
    def samples(self) -> int:
        return sum(samples.size for _, samples in self.stretches)

    async def serve(self, socket: Any, phone: str) -> None:
        """Takes what comes, until the phone goes or has said all."""
        with suppress(WebSocketDisconnect):
            await self._hear(socket)

    async def _hear(self, socket: Any) -> None:
        self.begun.append(json.loads((await self._received(socket))["text"]))
        await socket.send_json({"ready": True})
        here = 0
        while message := await self._received(socket):
            if data := message.get("bytes"):
                samples = np.frombuffer(data, "<i2", offset=4)
                self.stretches.append((int.from_bytes(data[:4], "little"), samples))
                here += samples.size
                await socket.send_json({"heard": here})
            elif "gap" in (said := json.loads(message["text"])):
                self.gaps.append(said["gap"])
            else:
                self.ends += 1
                await socket.close()
                return

    async def _received(self, socket: Any) -> Any:
        while not self.takes:
            await asyncio.sleep(LOOK_S)
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect
        return message


class MadeBoard:
    """A context manager, and a Host of edge/page/host.py. Entered again, it is the same board after a restart."""

    def __init__(
        self,
        directory: Path,
        *,
        port: int = 0,
        name: str = "kitchen",
        host: str = "127.0.0.1",
        answers_max: int = 1000,
        tls: bool = False,
    ) -> None:
        self.name = name
        self.port = port
        self.host = host
        self.tls = tls
        self.examples_said: Sequence[str] = EXAMPLES
        self.told: dict[str, Any] = {}
        self.asked: list[str] = []
        self.phone: str | None = None
        self.is_full = False
        self.feedback: list[Feedback] = []
        self.microphones: Any = NoMicrophones()
        self.watcher: Watcher | None = None
        """Is told what other boards are answered, once a phone looks on."""
        self.commands: Mapping[str, Command] = {name: self._command(name) for name in ("mute", "unmute", "press")}
        self._directory = directory
        self._answers_max = answers_max
        self.be()

    def __enter__(self) -> Self:
        self._entered = ExitStack()
        spool = Spool(
            self._directory / FILE_NAME,
            SpoolSettings(answers_max=self._answers_max),
            boot_id="boot",
            coding="",
            hop_ms=10,
            on_event=lambda event: self.story.tell(event),
        )
        self.spool = self._entered.enter_context(spool)
        self.story = Story(spool, lambda: dict(self.told), self._watch)
        self.page = self._entered.enter_context(Page(self._loaded(), self))
        self.port = self.page.port
        return self

    def __exit__(self, *cause: object) -> None:
        self.close()

    def close(self) -> None:
        """The board is switched off."""
        self._entered.close()

    def _loaded(self) -> Loaded[EdgeSettings]:
        options = {
            "device.state_dir": str(self._directory),
            "device.runtime_dir": str(self._directory),
            "page.listen": f"{self.host}:{self.port}",
            "page.names": (INSECURE_NAME,),
            "page.tls": self.tls,
        }
        return load(EdgeSettings, file=None, environment={}, environment_prefix="X", options=options)

    def pair(self, context: Any) -> None:
        """Makes a browser's context a phone of this board; `phone` is its id."""
        admitted = self.page.invitations.accept(self.page.invitations.invite().token, "Ada's phone", peer="here")
        cookie = {"name": cookie_name(tls=False), "value": admitted.cookie}
        context.add_cookies([{**cookie, "url": each} for each in (self.address, f"http://{INSECURE_NAME}:{self.port}")])
        self.phone = str(admitted.phone.id)

    @property
    def phones(self) -> Phones:
        """As `parrotlet-edge` sees them, beside the daemon."""
        return Phones(page_directory(self._directory))

    @property
    def address(self) -> str:
        return f"http{'s' if self.tls else ''}://{self.host}:{self.port}"

    async def run(self) -> None:
        """As its own Hosts."""
        await self.story.run()

    @asynccontextmanager
    async def of(self, phone: str) -> AsyncIterator[Self]:
        if self.is_full:
            raise DaemonError("Too many phones look on at the moment; try again in a while.")
        yield self

    def examples(self) -> Sequence[str]:
        return self.examples_said

    def give(self, feedback: Feedback) -> None:
        self.feedback.append(feedback)

    def forget(self, utterance_id: str | None) -> int:
        erased = self.spool.ask(lambda store: store.erase(Erasure(utterance_id))).result(WAIT_S)
        self.story.forgotten()
        return erased

    def be(self, doing: str = "idle", **more: Any) -> None:
        """From now on the board does that."""
        usual: dict[str, Any] = {
            "activation": "always",
            "phrase": None,
            "muted_by": None,
            "sentence": None,
            "timers": [],
        }
        self.told = usual | {"doing": doing} | more

    def says(self, utterance_id: str, stable: str = "", unstable: str = "", by: str | None = None) -> None:
        """Somebody speaks, and this much was understood."""
        words = Partial(stable, unstable)
        self.story.partial(SimpleNamespace(head=SimpleNamespace(utterance_id=utterance_id, ear=by), partial=words))  # type: ignore[arg-type]

    def is_loud(self, amplitude: float, *, is_speech: bool = True) -> None:
        """A block of sound of so much of full scale."""
        tone = np.sin(np.arange(BLOCK_SAMPLES) / 5.0) * amplitude * 32767
        self.story.level(tone.astype(np.int16), is_speech)

    def keep(self, event: Event) -> None:
        """Writes it down, as if it had been told when nobody looked on."""
        self.spool.ask(lambda store: store.record(event)).result(WAIT_S)

    def tell(self, event: Event) -> None:
        """Tells it, and then that it is on the disk."""
        self.story.tell(event)
        self.keep(event)
        self.story.tell(event)

    def _watch(self, watcher: Watcher) -> Callable[[], None]:
        self.watcher = watcher
        return lambda: None

    def _command(self, name: str) -> Any:
        def command() -> dict[str, Any]:
            self.asked.append(name)
            if name == "press" and self.told["doing"] == "muted":
                raise DaemonError("The microphone is muted.")
            if name != "press":
                self.be("muted" if name == "mute" else "idle", muted_by="the page" if name == "mute" else None)
            return {}

        return command


def event(
    utterance_id: str,
    transcript: str = "",
    kind: Kind = Kind.FINAL,
    *,
    ago_s: float = 0.0,
    sentence: str | None = None,
    ear: str | None = None,
    path: Any = "cloud",
    **answer: Any,
) -> Event:
    """What a board tells of an utterance that was spoken that long ago; without a transcript there is no answer."""
    at_us = time.time_ns() // 1000 - round(ago_s * 1e6)
    made = Answer(path, transcript, **answer) if transcript else None
    return Event(utterance_id, kind, at_us, at_us, made, sentence, ear)
