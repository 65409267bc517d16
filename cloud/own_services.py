"""gRPC's own services, health and reflection, held to the rule of ours: garbage gets INVALID_ARGUMENT and a sentence,
never UNKNOWN with a traceback in the log for each message that somebody sends."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc

Method = Callable[[Any, Any], Any]


class GarbageRefused(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # Generic in grpc-stubs alone.
    """Stands before every method; those that take bytes, which are ours, it leaves alone."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["grpc.RpcMethodHandler[Any, Any]"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "grpc.RpcMethodHandler[Any, Any]":
        """The method, guarded."""
        handler = await continuation(handler_call_details)
        if handler is None or handler.request_deserializer is None:
            return handler
        kind = ("stream_" if handler.request_streaming else "unary_") + (
            "stream" if handler.response_streaming else "unary"
        )
        guarded: grpc.RpcMethodHandler[Any, Any] = getattr(grpc, f"{kind}_rpc_method_handler")(
            _guarded(getattr(handler, kind), streaming=handler.request_streaming),
            _or_none(handler.request_deserializer),
            handler.response_serializer,
        )
        return guarded


def _or_none(parse: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def parsed(data: bytes) -> Any:
        try:
            return parse(data)
        # DecodeError, or what a pure Python protobuf raises.
        except Exception:
            return None

    return parsed


def _guarded(method: Method, *, streaming: bool) -> Method:
    async def checked(asked: Any, context: Any) -> Any:
        if streaming:
            return _each_checked(asked, context)
        return await _checked(asked, context)

    if inspect.isasyncgenfunction(method):

        async def generator(asked: Any, context: Any) -> AsyncIterator[Any]:
            async for response in method(await checked(asked, context), context):
                yield response

        return generator

    async def coroutine(asked: Any, context: Any) -> Any:
        try:
            return await method(await checked(asked, context), context)
        except NotImplementedError:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "The service does not offer this.")

    return coroutine


async def _each_checked(requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
    async for request in requests:
        yield await _checked(request, context)


async def _checked(request: Any, context: Any) -> Any:
    if request is None:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "The client sent a request that cannot be read.")
    return request
