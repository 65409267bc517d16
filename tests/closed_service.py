"""A service that is closed to strangers, in a thread of this process: its ports and who gets in are real, and what it
answers is made up."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from grpc_reflection.v1alpha import reflection

from benchmarks.tried_service import enrolled
from cloud.keys.authority import Authority
from cloud.keys.callers import Callers, check_device
from cloud.keys.enrolment import EnrolmentPort
from cloud.keys.pki_folder import create
from cloud.keys.renewal import IdentityService
from cloud.keys.tls import ServiceCredentials
from cloud.own_services import GarbageRefused
from cloud.request_stream import Refusal
from common.addresses import Address
from common.errors import IdentityError
from edge.keys.enrol_channel import shown_certificate
from edge.keys.identity import Identity
from protos import speech_pb2, speech_pb2_grpc
from protos.codec import CODECS
from protos.enrolment_code import SERVICE_TLS_NAME
from protos.feature_spec import DEFAULT_SPEC

WAIT_S = 10.0
NOW_US = time.time_ns() // 1000
"""TLS goes by the machine's own clock; from here on, time stands until a test moves it."""
FINAL = speech_pb2.RecognizeResponse(final=speech_pb2.Final(transcript="hello", engine=speech_pb2.Engine(name="stub")))


class Clock:
    """Says what it is told."""

    def __init__(self, unix_us: int = NOW_US) -> None:
        self.unix_us = unix_us

    def __call__(self) -> int:
        return self.unix_us


class ClosedService:
    """What a test needs of it."""

    def __init__(self, authority: Authority, address: Address, enrolment: EnrolmentPort) -> None:
        self.authority = authority
        self.address = address
        self._enrolment = enrolment

    @property
    def enrol_address(self) -> Address:
        return Address("127.0.0.1", self._enrolment.port)

    def enrolment_is_open(self, wanted: bool) -> bool:
        """Whether it gets as wanted, open or closed."""
        until_s = time.monotonic() + WAIT_S
        while self._enrolment.is_open is not wanted and time.monotonic() < until_s:
            time.sleep(0.005)
        return self._enrolment.is_open is wanted

    def shows(self) -> bytes | None:
        """The certificate that the enrolment port shows; None while it is closed."""
        try:
            return shown_certificate(self.enrol_address)
        except IdentityError:
            return None

    def lets_in(self, identity: Identity) -> bool:
        """Whether it answers this board."""
        with channel(self.address, identity) as opened:
            try:
                speech_pb2_grpc.SpeechStub(opened).Describe(speech_pb2.DescribeRequest(), timeout=WAIT_S)
            except grpc.RpcError:
                return False
        return True

    def identity(self, device_id: str = "kitchen") -> Identity:
        """A board that enrolled without the way there."""
        return enrolled(self.authority, device_id, str(self.address))


@contextmanager
def closed_service(directory: Path, clock: Callable[[], int]) -> Iterator[ClosedService]:
    """Runs meanwhile. Its Recognize answers at the end of an utterance."""
    authority = create(directory / "pki", [], clock)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def run(coroutine: Awaitable[Any]) -> Any:
        async def awaited() -> Any:
            return await coroutine

        return asyncio.run_coroutine_threadsafe(awaited(), loop).result(WAIT_S)

    async def start() -> tuple[grpc.aio.Server, Address, EnrolmentPort, list["asyncio.Task[None]"]]:
        callers = Callers(authority, look_s=0.02)
        server = grpc.aio.server(interceptors=[callers, GarbageRefused()])
        server.add_generic_rpc_handlers((_speech(), IdentityService(authority).handler()))
        reflection.enable_server_reflection((reflection.SERVICE_NAME,), server)
        port = server.add_secure_port("127.0.0.1:0", ServiceCredentials(authority).credentials())
        await server.start()
        enrolment = EnrolmentPort(authority, Address("127.0.0.1", 0), port, wrong_s=0.0)
        tasks = [asyncio.create_task(callers.watch()), asyncio.create_task(enrolment.watch(look_s=0.02))]
        return server, Address("127.0.0.1", port), enrolment, tasks

    async def stop() -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.stop(0)

    server, address, enrolment, tasks = run(start())
    try:
        yield ClosedService(authority, address, enrolment)
    finally:
        run(stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def channel(
    address: Address | str, identity: Identity | None, *, trusted: str | None = None, tls_name: str = SERVICE_TLS_NAME
) -> Iterator[grpc.Channel]:
    """A channel of its own, over TLS; without an identity it shows no certificate."""
    root = trusted or (identity.authority if identity else "")
    own = (identity.key.encode(), identity.certificate.encode()) if identity else ()
    credentials = grpc.ssl_channel_credentials(root.encode(), *own)
    options = (("grpc.ssl_target_name_override", tls_name), ("grpc.use_local_subchannel_pool", 1))
    with grpc.secure_channel(str(address), credentials, options=options) as opened:
        yield opened


def _speech() -> "grpc.GenericRpcHandler[bytes, bytes]":
    async def describe(request: bytes, context: Any) -> bytes:
        specs = [speech_pb2.FeatureSpec(fingerprint=DEFAULT_SPEC.fingerprint)]
        return speech_pb2.DescribeResponse(feature_specs=specs, codecs=CODECS).SerializeToString()

    async def recognise(requests: Any, context: Any) -> None:
        async for request in requests:
            said = speech_pb2.RecognizeRequest.FromString(request)
            try:
                if said.HasField("config"):
                    check_device(context, said.config.device_id)
                    await context.write(speech_pb2.RecognizeResponse(partial=speech_pb2.Partial()).SerializeToString())
            except Refusal as refusal:
                await context.abort(refusal.code, refusal.sentence)
            if said.HasField("end"):
                await context.write(FINAL.SerializeToString())

    methods = {
        "Describe": grpc.unary_unary_rpc_method_handler(describe),
        "Recognize": grpc.stream_stream_rpc_method_handler(recognise),
    }
    return grpc.method_handlers_generic_handler("parrotlet.v1.Speech", methods)
