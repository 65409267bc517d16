"""A service that puts boards into groups, in a thread of this process: its port, log, claims and who is told are real,
its engine hears what a test says."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar, cast

import grpc

from cloud.claims import Claim, OwnClaims
from cloud.decoders import Hypothesis
from cloud.finding.served_domain import ServedDomain
from cloud.groups import Groups
from cloud.keys.authority import Authority
from cloud.keys.callers import Callers
from cloud.keys.tls import ServiceCredentials
from cloud.log.answer_log import FILE_NAME, UNKNOWN, Key, Occasion, Span, SqliteAnswerLog
from cloud.log.answer_store import Answered
from cloud.own_services import GarbageRefused
from cloud.places import Places
from cloud.recognition import Recogniser
from cloud.service import SpeechService
from cloud.settings import Group, Limits, Server, Storage
from cloud.twins import KEPT, Twins
from cloud.watching import Watching
from cloud.workers.pool import Pool
from cloud.workers.worker_line import Ready
from protos import speech_pb2
from tests.test_recognition import FakePool

WAIT_S = 20.0
HOME = Group("home", ("kitchen", "hall", "desk"))
ELSEWHERE = Group("elsewhere", ("attic", "cellar"))
SPOKEN = Occasion(10_000_000, 12_100_000, 2000, 12.0)
"""From 10 s to 12 s, by the boards' clocks; the end came 100 ms later."""

TIMER = (
    '{"id": "timer-10", "title": "Timer for 10 minutes", "aliases": ["set a timer for ten minutes"], '
    '"action": "timer.start", "data": {"minutes": 10}}\n'
)

T = TypeVar("T")


class Engine(FakePool):
    """Hears what a test says, and says what it is."""

    engine = Ready("whisper", "tiny.en")

    def hears(self, transcript: str) -> None:
        self._outcome = Hypothesis("whisper", "tiny.en", transcript)


class GroupService:
    """What a test needs of it."""

    def __init__(
        self, address: str, claims: OwnClaims, watching: Watching, engine: Engine, run: Callable[..., Any]
    ) -> None:
        self.address, self.claims, self.watching, self._engine, self.run = address, claims, watching, engine, run

    def hears(self, transcript: str) -> None:
        """What the engine makes of any sound from now on."""
        self._engine.hears(transcript)

    def answer(
        self, device: str, utterance: str, said: str | speech_pb2.Final, occasion: Occasion = UNKNOWN
    ) -> speech_pb2.Final:
        """A board's utterance is answered, as after its end."""
        return cast(speech_pb2.Final, self.run(answered(self.claims, device, utterance, said, occasion)))

    def forget(self, device: str, utterance: str | None = None) -> None:
        self.run(self.claims.forget(device, utterance, Span()))


async def answered(
    claims: OwnClaims, device: str, utterance: str, said: str | speech_pb2.Final, occasion: Occasion = UNKNOWN
) -> speech_pb2.Final:
    """A key's final, from the log where it has one."""
    claim = await claims.claim(Key(device, utterance), 1, occasion.spoken_at_unix_us)
    if isinstance(claim, speech_pb2.Final):
        return claim

    async def finish() -> speech_pb2.Final:
        return speech_pb2.Final(transcript=said) if isinstance(said, str) else said

    with cast(Claim, claim) as held:
        return await held.finish(finish(), occasion)


def _domain(folder: Path) -> ServedDomain:
    """Of one entry: quickly built."""
    home = folder / "domains" / "home"
    home.mkdir(parents=True, exist_ok=True)
    (home / "catalogue.jsonl").write_text(TIMER)
    return ServedDomain(str(home), Storage(state_dir=folder))


@contextmanager
def group_service(
    folder: Path,
    groups: Sequence[Group] = (HOME, ELSEWHERE),
    *,
    authority: Authority | None = None,
    port: int = 0,
    with_engine: bool = False,
    idle_s_max: float = 15.0,
    look_s: float = 0.2,
) -> Iterator[GroupService]:
    """Runs meanwhile; in the same folder it is the same service after a restart."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def run(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result(WAIT_S)

    engine = Engine(Hypothesis("whisper", "tiny.en", "set a timer for ten minutes"))
    with ExitStack() as stack:
        log = stack.enter_context(SqliteAnswerLog(folder / FILE_NAME))
        domains: Any = {"home": None}
        if with_engine:
            domains = {"home": stack.enter_context(_domain(folder))}

        async def start() -> tuple[grpc.aio.Server, int, OwnClaims, Watching, "asyncio.Task[None]"]:
            known = Groups(groups)
            twins = Twins(known)
            for group in known:
                kept: list[Answered] = await log.newest_of(known.members(group), KEPT)
                twins.remember(kept)
            watching = Watching(known, log, idle_s_max=idle_s_max, look_s=look_s)
            claims = OwnClaims(log, twins, watching.logged)
            recogniser = Recogniser(cast(list[Pool], [engine]), answer_s_max=5.0)
            places = Places(Server(streams_per_device_max=8), Limits(), streams_max=32)
            service = SpeechService(Server(), recogniser, domains, claims, places, watching=watching)
            callers = Callers(authority, look_s=0.02)
            server = grpc.aio.server(interceptors=[callers, GarbageRefused()], options=(("grpc.so_reuseport", 0),))
            server.add_generic_rpc_handlers((service.handler(),))
            address = f"127.0.0.1:{port}"
            picked = (
                server.add_insecure_port(address)
                if authority is None
                else server.add_secure_port(address, ServiceCredentials(authority).credentials())
            )
            await server.start()
            return server, picked, claims, watching, asyncio.create_task(callers.watch())

        server, picked, claims, watching, task = run(start())

        async def stop() -> None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            watching.close()
            await server.stop(5.0)
            await claims.close()

        try:
            yield GroupService(f"127.0.0.1:{picked}", claims, watching, engine, run)
        finally:
            run(stop())
            loop.call_soon_threadsafe(loop.stop)
            thread.join(WAIT_S)
            loop.close()
