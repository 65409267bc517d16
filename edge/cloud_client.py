"""Asks a service: one warm channel, one stream an utterance, and nothing on the audio path ever waits for it.

    with CloudClient(Cloud(address="127.0.0.1:7407"), device_id="kitchen") as cloud:
        for answer in cloud.answers(hear(AudioFile("order.wav"))):
            print(answer.transcript)

The network lives in one thread with its own event loop.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType

from common.addresses import parse_address
from common.errors import CloudError
from edge import identity_watch
from edge.answer import Answer, Partial
from edge.cloud_channel import Channel
from edge.cloud_stream import SPEAKING_S_MAX, CloudStream
from edge.identity import Enrolment, Identity
from edge.settings import Cloud
from edge.turn import Opinion
from edge.utterance import Heard, UtteranceEnd, UtteranceHead
from protos import speech_pb2

CLOSE_S_MAX = 5.0


class CloudClient:
    """A service to ask, as a context manager. A service that is not there is no fault until it is asked."""

    def __init__(self, settings: Cloud, *, device_id: str, enrolment: Enrolment | None = None) -> None:
        """enrolment: who the board is to the service; None: nobody, and asks in plain text, on this machine alone."""
        parse_address(settings.address, called="cloud.address", port_min=1)
        self.settings = settings
        self.device_id = device_id
        self.address = settings.address
        self._enrolment = enrolment
        self._identity: Identity | None = None
        self._own_name = device_id
        self.channel: Channel
        """There once the client is entered."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="network", daemon=True)
        self._description: speech_pb2.DescribeResponse | None = None

    def __enter__(self) -> "CloudClient":
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(CLOSE_S_MAX)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Gives up what is under way."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(CLOSE_S_MAX)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSE_S_MAX)
        self._loop.close()

    @property
    def alive(self) -> bool:
        """Whether the network's thread lives."""
        return self._thread.is_alive()

    def start(
        self,
        head: UtteranceHead,
        *,
        on_partial: Callable[[Partial], None] = lambda partial: None,
        on_settled: Callable[[Answer | CloudError], None] = lambda outcome: None,
        on_turn: Callable[[Opinion], None] = lambda opinion: None,
    ) -> CloudStream:
        """Begins an utterance at once. Callbacks come from the network's thread and must return at once;
        `on_settled` comes exactly once, with the answer or a CloudError."""
        stream = CloudStream(self, head, on_partial, on_settled, on_turn)
        self.soon(stream.begin)
        return stream

    def answers(self, heard: Iterable[Heard]) -> Iterator[Answer]:
        """The answer to each utterance, in order. CloudError when one has none."""
        stream: CloudStream | None = None
        for event in heard:
            match event:
                case UtteranceHead():
                    stream = self.start(event)
                case _ if stream is None:
                    raise AssertionError("unreachable: a head comes first")
                case UtteranceEnd():
                    stream.finish(event)
                    yield stream.answer()
                case _:
                    stream.send(event)

    def describe(self, timeout_s: float = 5.0) -> speech_pb2.DescribeResponse:
        """What the service is, waited for. CloudError if it does not say."""
        asked = asyncio.run_coroutine_threadsafe(self.description(), self._loop)
        try:
            return asked.result(timeout_s)
        except TimeoutError as error:
            asked.cancel()
            raise CloudError(f"{self.address}: the service does not say what it is.") from error

    def soon(self, do: Callable[..., None], *arguments: object) -> None:
        """Runs something in the network's thread; never waits."""
        self._loop.call_soon_threadsafe(do, *arguments)

    def keep(self, task: "asyncio.Task[None]") -> None:
        """Ends it when the client is closed, if it has not ended by itself."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def description(self) -> speech_pb2.DescribeResponse:
        """What the service said it is; asked once. CallFailed."""
        if self._description is None:
            self._description = await self.channel.describe(self.settings.connect_s_max)
        return self._description

    def forget_description(self) -> None:
        """The service is another one now."""
        self._description = None

    async def _open(self) -> None:
        self._use(identity_watch.read(self._enrolment) if self._enrolment else None)
        if self._enrolment is not None:
            watch = identity_watch.IdentityWatch(self._enrolment, self._adopt, lambda: self.channel.is_down)
            self.keep(asyncio.create_task(watch.follow(self._identity)))

    async def _adopt(self, identity: Identity | None) -> None:
        """The board is somebody else to the service from now on; calls under way end as they would."""
        before = self.channel
        self._use(identity)
        self.keep(asyncio.create_task(before.close(grace_s=SPEAKING_S_MAX)))

    def _use(self, identity: Identity | None) -> None:
        self._identity = identity
        self.address = self._enrolment.address(identity) if self._enrolment else self.settings.address
        self.device_id = identity.device_id if identity else self._own_name
        self.forget_description()
        self.channel = Channel(self.address, identity)

    async def _close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.channel.close()
        # grpc.aio has tasks of its own, which end soon after their calls.
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        if rest:
            await asyncio.wait(rest, timeout=1.0)
