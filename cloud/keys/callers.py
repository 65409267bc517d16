"""Who is calling, and whether it may: the bearer of a certificate that TLS has checked, unless it was revoked.

Asked at each call, and watched while streams run: a board that is revoked by a command in another process is out within
a second. Without an authority the port is one of loopback, and everybody there may call.
"""

import asyncio
import functools
import inspect
import logging
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, NamedTuple

import grpc

from cloud.keys import certificates
from cloud.keys.authority import Authority
from cloud.request_stream import Refusal
from common.errors import IdentityError
from protos.name import speaks_for

logger = logging.getLogger(__name__)

LOOK_S = 0.5
"""How often running streams are looked at."""

COMPLAIN_S = 600.0

_SHUT_OUT = grpc.StatusCode.UNAUTHENTICATED

Method = Callable[[Any, Any], Any]

_END = object()


class Caller(NamedTuple):
    """The bearer of a certificate."""

    device_id: str
    issued_at_unix_us: int
    certificate: bytes
    """PEM."""


class Callers(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # Generic in grpc-stubs alone.
    """Stands before every method. `watch` runs beside the server."""

    def __init__(self, authority: Authority | None, look_s: float = LOOK_S) -> None:
        self._authority = authority
        self._look_s = look_s
        self._streams: dict[asyncio.Future[str], Caller] = {}
        """Streams under way; the future is told why one must end."""
        self._complained_s: dict[str, float] = {}
        self._ailing = ""
        """Why nobody is let in, as it was told; empty where boards are."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["grpc.RpcMethodHandler[Any, Any]"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "grpc.RpcMethodHandler[Any, Any]":
        """The method, guarded."""
        handler = await continuation(handler_call_details)
        if self._authority is None or handler is None:
            return handler
        for kind in ("unary_unary", "unary_stream", "stream_unary", "stream_stream"):
            if (method := getattr(handler, kind)) is not None:
                make = getattr(grpc, f"{kind}_rpc_method_handler")
                guarded: grpc.RpcMethodHandler[Any, Any] = make(
                    self._guarded(method), handler.request_deserializer, handler.response_serializer
                )
                return guarded
        return handler

    async def watch(self) -> None:
        """Ends the streams of boards that are let in no longer, for ever."""
        while True:
            await asyncio.sleep(self._look_s)
            for told, caller in list(self._streams.items()):
                if not told.done() and (sentence := self._why_not(caller)):
                    told.set_result(sentence)

    def _guarded(self, method: Method) -> Method:
        if inspect.isasyncgenfunction(method):

            async def generator(request: Any, context: Any) -> AsyncIterator[Any]:
                caller = await self._admit(context)
                async with aclosing(method(request, context)) as responses:
                    # Also while it has nothing to say: who waits for changes is shut out as well.
                    while (
                        response := await self._unless_shut_out(caller, anext(responses, _END), context)
                    ) is not _END:
                        if sentence := self._why_not(caller):
                            await context.abort(_SHUT_OUT, sentence)
                        yield response

            return generator

        async def coroutine(request: Any, context: Any) -> Any:
            return await self._unless_shut_out(await self._admit(context), method(request, context), context)

        return coroutine

    async def _admit(self, context: Any) -> Caller:
        """Ends the call with a status if the caller may not."""
        caller = caller_of(context)
        if caller is None:
            # Not reached over our ports: TLS refuses who has none.
            await context.abort(_SHUT_OUT, "This service wants a certificate.")
            raise AssertionError("unreachable: abort raises")
        if sentence := self._why_not(caller):
            self._complain(caller, sentence)
            await context.abort(_SHUT_OUT, sentence)
        return caller

    async def _unless_shut_out(self, caller: Caller, call: Awaitable[Any], context: Any) -> Any:
        """What the method returns; the call ends when its caller is let in no longer."""
        told = asyncio.get_running_loop().create_future()
        self._streams[told] = caller
        working = asyncio.ensure_future(call)
        try:
            await asyncio.wait([working, told], return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
        finally:
            del self._streams[told]
            if not working.done():
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)
        self._complain(caller, told.result())
        await context.abort(_SHUT_OUT, told.result())
        raise AssertionError("unreachable: abort raises")

    def _complain(self, caller: Caller, sentence: str) -> None:
        """Not more often than every so often: a board that is shut out tries on."""
        now_s = time.monotonic()
        if now_s - self._complained_s.get(caller.device_id, -math.inf) >= COMPLAIN_S:
            self._complained_s[caller.device_id] = now_s
            logger.warning("refused: %s", sentence)

    def _why_not(self, caller: Caller) -> str | None:
        assert self._authority is not None
        try:
            # TLS has checked it when the channel was made; the authority may be another one since.
            if not _is_issued_by(caller.certificate, self._authority.trusted()):
                return "The certificate is of an authority that was replaced."
            sentence = self._authority.boards.why_not(caller.device_id, caller.issued_at_unix_us)
            self._ailing = ""
            return sentence
        except IdentityError as error:
            # Told once, not at each call and look.
            if self._ailing != str(error):
                logger.error("nobody is let in. %s", error)
            self._ailing = str(error)
            return "This service cannot tell who is let in; its log says more."


def caller_of(context: Any) -> Caller | None:
    """Who calls; None without a certificate."""
    shown = context.auth_context().get("x509_pem_cert")
    return _read(bytes(shown[0])) if shown else None


def check_device(context: Any, device_id: str) -> None:
    """Refusal if a board speaks for another."""
    caller = caller_of(context)
    if caller is not None and not speaks_for(caller.device_id, device_id):
        sentence = f"The certificate is that of {caller.device_id}, which may not speak for {device_id}."
        raise Refusal(grpc.StatusCode.PERMISSION_DENIED, sentence)


@functools.lru_cache(maxsize=1024)
def _read(certificate: bytes) -> Caller:
    known = certificates.facts(certificate)
    return Caller(known.name, known.issued_at_unix_us, certificate)


_is_issued_by = functools.lru_cache(maxsize=1024)(certificates.is_issued_by)
