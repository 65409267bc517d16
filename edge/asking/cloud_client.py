"""Asks a service: one warm channel, one stream an utterance, and nothing on the audio path ever waits for it.

with CloudClient(Cloud(address="127.0.0.1:7407"), device_id="kitchen") as cloud:
    for answer in cloud.answers(hear(AudioFile("order.wav"))):
        print(answer.transcript)
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, aclosing
from types import TracebackType

from common.addresses import parse_address
from common.errors import CloudError
from edge.asking import wire
from edge.asking.answer import Answer, Partial
from edge.asking.cloud_channel import CallFailed, Channel
from edge.asking.cloud_stream import SPEAKING_S_MAX, CloudStream
from edge.asking.network import CLOSE_S_MAX, Network
from edge.keys import identity_watch
from edge.keys.identity import Enrolment, Identity
from edge.settings import Service
from edge.speech.turn import Opinion
from edge.speech.utterance import Heard, UtteranceEnd, UtteranceFrames, UtteranceHead
from edge.spool.erasure import Erasure
from edge.spool.feedback import Feedback
from protos import speech_pb2
from protos.feature_spec import DEFAULT_SPEC, FeatureSpec
from protos.name import PHONE


class CloudClient:
    """A service to ask, as a context manager. A service that is not there is no fault until it is asked."""

    def __init__(
        self,
        settings: Service,
        *,
        device_id: str,
        spec: FeatureSpec = DEFAULT_SPEC,
        network: Network | None = None,
        enrolment: Enrolment | None = None,
        explain: bool = False,
        phone: str | None = None,
    ) -> None:
        """`spec` is that of the frames. Has a network of its own where none is given. Without an enrolment it asks in
        plain text, on this machine alone. `explain`: answers are to say why they are as they are; `phone`: who
        speaks through this machine."""
        self.settings = settings
        self.explain = explain
        self.spec = spec
        self._own_name = device_id
        self.local_model: Callable[[], str | None] = lambda: None
        """Name and version of the model that the board answers by itself with."""
        self._suffix = f"{PHONE}{phone}" if phone is not None else ""
        self._description: speech_pb2.DescribeResponse | None = None
        self._enrolment = enrolment
        self._know(identity_watch.read(enrolment) if enrolment else None)
        parse_address(self.address, called="cloud.address", port_min=1)
        self.network = network or Network()
        self.channel: Channel
        """There once the client is entered."""
        self._owns_network = network is None
        self._entered = ExitStack()
        self._live = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self.beside = asyncio.Lock()
        """Whoever goes on while somebody speaks, though nobody speaks it, has this."""

    def __enter__(self) -> "CloudClient":
        if self._owns_network:
            self._entered.enter_context(self.network)
        self.network.run(self._open()).result(CLOSE_S_MAX)
        self._entered.callback(lambda: self.network.run(self.channel.close()).result(CLOSE_S_MAX))
        if self._owns_network:
            self._entered.callback(self.network.give_up)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Gives up what is under way."""
        self._entered.close()

    def start(
        self,
        head: UtteranceHead,
        *,
        on_partial: Callable[[Partial], None] = lambda partial: None,
        on_settled: Callable[[Answer | CloudError], None] = lambda outcome: None,
        on_turn: Callable[[Opinion], None] = lambda opinion: None,
        on_trouble: Callable[[CallFailed], None] = lambda error: None,
    ) -> CloudStream:
        """Begins an utterance at once. Callbacks come from the network's thread and must return at once;
        `on_settled` comes exactly once, with the answer or a CloudError, `on_trouble` whenever it has to be tried
        again."""
        stream = CloudStream(self, head, on_partial, on_settled, on_turn, on_trouble)
        self.network.soon(stream.begin)
        return stream

    async def replay(
        self,
        head: UtteranceHead,
        frames: Sequence[UtteranceFrames],
        end: UtteranceEnd,
        spec: FeatureSpec,
        attempt: int,
        patience_s: float | None = None,
        local_answer: Answer | None = None,
    ) -> Answer:
        """One attempt to send what was said before, in the network's thread; stands back while somebody speaks, so long
        (None: for ever), and then goes on beside them, one at a time. `local_answer`: what the board itself has
        answered. CallFailed; CloudError if the service takes no such frames."""
        stream = CloudStream(self, head, lambda partial: None, lambda outcome: None, lambda opinion: None, spec=spec)
        return await stream.replay(frames, end, attempt, patience_s, local_answer)

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
        asked = self.network.run(self.description())
        try:
            return asked.result(timeout_s)
        except TimeoutError as error:
            asked.cancel()
            raise CloudError(f"{self.address}: the service does not say what it is.") from error

    async def description(self) -> speech_pb2.DescribeResponse:
        """What the service said it is; asked once. CallFailed."""
        if self._description is None:
            self._description = await self.channel.describe(self.settings.connect_s_max)
        return self._description

    async def described_anew(self) -> speech_pb2.DescribeResponse:
        """What the service is and offers this board, now. CallFailed."""
        await self.channel.connect(self.settings.connect_s_max)
        self._description = await self.channel.describe(self.settings.connect_s_max, self.device_id)
        return self._description

    async def fetch_model(self, name: str, version: str, offset: int) -> AsyncGenerator[speech_pb2.ModelPiece, None]:
        """A model that the service offers this board, from an offset on. CallFailed."""
        await self.channel.connect(self.settings.connect_s_max)
        request = speech_pb2.FetchModelRequest(device_id=self.device_id, name=name, version=version, offset=offset)
        async with aclosing(self.channel.fetch_model(request)) as pieces:
            async for piece in pieces:
                yield piece

    def examples(self) -> Sequence[str]:
        """What may be said in the domain that is asked, as far as the service has told."""
        if self._description is None:
            return ()
        wanted = self.settings.domain or self._description.default_domain
        return next((tuple(one.examples) for one in self._description.domains if one.name == wanted), ())

    def forget_description(self) -> None:
        """The service is another one now."""
        self._description = None

    async def probe(self) -> None:
        """Asks the service whether it is there. CallFailed if it is not."""
        await self.channel.connect(self.settings.connect_s_max)
        self._description = await self.channel.describe(self.settings.connect_s_max)

    async def forget(self, erasure: Erasure) -> int:
        """How many utterances of this board the service had kept, and has not any more. CallFailed."""
        await self.channel.connect(self.settings.connect_s_max)
        request = wire.forget_request(erasure, self.device_id)
        return (await self.channel.forget(request, self.settings.connect_s_max)).erased

    async def give(self, feedback: Feedback) -> None:
        """Tells the service what a person said of an answer. CallFailed."""
        await self.channel.connect(self.settings.connect_s_max)
        request = wire.feedback_request(feedback, self.device_id)
        await self.channel.give_feedback(request, self.settings.connect_s_max)

    async def watch(self, after: int | None, history: str | None, take: Callable[[speech_pb2.Watched], None]) -> None:
        """Tells what other boards of the group are answered behind a number of a history, until the service ends it.
        CallFailed."""
        await self.channel.connect(self.settings.connect_s_max)
        request = speech_pb2.WatchRequest(device_id=self.device_id, after=after, history=history)
        async with aclosing(self.channel.watch(request)) as watching:
            async for watched in watching:
                take(watched)

    def live(self, change: int) -> None:
        """Counts utterances of somebody who waits for the answer. In the network's thread."""
        self._live += change
        if self._live:
            self._quiet.clear()
        else:
            self._quiet.set()

    @property
    def is_quiet(self) -> bool:
        """Whether nobody speaks, or waits for an answer."""
        return self._quiet.is_set()

    async def quiet(self) -> None:
        """Waits until it is."""
        await self._quiet.wait()

    async def _open(self) -> None:
        self.channel = Channel(self.address, self._identity)
        if self._enrolment is not None:
            watch = identity_watch.IdentityWatch(self._enrolment, self._adopt, lambda: self.channel.is_down)
            self.network.begin(watch.follow(self._identity))

    async def _adopt(self, identity: Identity | None) -> None:
        """The board is somebody else to the service from now on; calls under way end as they would."""
        before = self.channel
        self._know(identity)
        self.channel = Channel(self.address, identity)
        self.network.begin(before.close(grace_s=SPEAKING_S_MAX))

    def _know(self, identity: Identity | None) -> None:
        """Who the board is, and where the service is."""
        self._identity = identity
        self.known_as = identity.device_id if identity else None
        self.device_id = (self.known_as or self._own_name) + self._suffix
        self.address = self._enrolment.address(identity) if self._enrolment else self.settings.address
        self.forget_description()
