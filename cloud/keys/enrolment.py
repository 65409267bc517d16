"""How boards get their first certificates: for a code, on a port of its own that is open only while a code is."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import TypeVar

import grpc
from google.protobuf.message import DecodeError, Message

from cloud.keys.authority import Authority, CodeRefused, Issued, NameTaken
from cloud.keys.tls import enrolment_credentials
from cloud.keys.tries import Tries
from common.addresses import Address
from common.errors import IdentityError
from common.private_files import stamp
from protos import enrolment_pb2
from protos.name import NAME, PHONE

logger = logging.getLogger(__name__)

ENROLMENT_NAME = enrolment_pb2.DESCRIPTOR.services_by_name["Enrolment"].full_name

LOOK_S = 0.5
"""How often the port looks whether there is a code."""
WRONG_S = 1.0
"""How long a wrong code waits for its answer."""
STOP_S_MAX = 2.0

REQUEST_BYTES_MAX = 4096
SECRET_CHARACTERS_MAX = 16
NO_REQUEST = "The signing request is none of P-256 that its key has signed."

_OPTIONS = (
    ("grpc.max_receive_message_length", 2 * REQUEST_BYTES_MAX),
    ("grpc.max_metadata_size", 4096),
    ("grpc.max_concurrent_streams", 2),
    # A stranger who says nothing, or nothing more, is gone soon.
    ("grpc.server_handshake_timeout_ms", 5_000),
    ("grpc.max_connection_idle_ms", 10_000),
    ("grpc.max_connection_age_ms", 60_000),
    ("grpc.max_connection_age_grace_ms", 5_000),
    ("grpc.so_reuseport", 0),
)
CALLS_MAX = 8
"""At a time, from all strangers."""

Context = grpc.aio.ServicerContext[bytes, bytes]
M = TypeVar("M", bound=Message)


class EnrolmentPort:
    """The port without client certificates. `watch` opens and closes it."""

    def __init__(self, authority: Authority, listen: Address, service_port: int, wrong_s: float = WRONG_S) -> None:
        self._authority = authority
        self._host, self.port = listen
        self._service_port = service_port
        self._wrong_s = wrong_s
        self._tries = Tries()
        self._one_by_one = asyncio.Lock()
        self._server: grpc.aio.Server | None = None
        self._shown: tuple[int, int] | None = None
        self._ailing = False

    async def watch(self, look_s: float = LOOK_S) -> None:
        """For ever; closes the port when it is cancelled."""
        try:
            while True:
                await self._follow()
                await asyncio.sleep(look_s)
        finally:
            if self._server is not None:
                await self._close(self._server)

    @property
    def is_open(self) -> bool:
        """Whether boards can enrol now."""
        return self._server is not None

    async def _follow(self) -> None:
        try:
            wanted = self._authority.codes_are_open()
            shown = stamp(self._authority.directory / "enrolment.pem")
            if self._server is not None and not (wanted and shown == self._shown):
                await self._close(self._server)
                logger.info("enrolment is closed")
            if wanted and self._server is None:
                self._shown = shown
                await self._open()
            self._ailing = False
        except (IdentityError, RuntimeError) as error:
            # Told once: it is tried again all the time.
            if not self._ailing:
                logger.error("nobody can enrol: the port %s:%d cannot be opened: %s", self._host, self.port, error)
            self._ailing = True

    async def _open(self) -> None:
        server = grpc.aio.server(options=_OPTIONS, maximum_concurrent_rpcs=CALLS_MAX)
        methods = {"Enrol": grpc.unary_unary_rpc_method_handler(self._enrol)}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(ENROLMENT_NAME, methods),))
        credentials = enrolment_credentials(self._authority.pair("enrolment"))
        # A port that was picked is kept: boards may have been told.
        self.port = server.add_secure_port(f"{self._host}:{self.port}", credentials)
        self._server = server
        await _whole(server.start())
        logger.info("enrolment on %s:%d, until the codes are used or expired", self._host, self.port)

    async def _close(self, server: grpc.aio.Server) -> None:
        self._server = None
        await _whole(server.stop(STOP_S_MAX))

    async def _enrol(self, request: bytes, context: Context) -> bytes:
        peer = context.peer().rpartition(":")[0]
        if not self._tries.may(peer):
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "There are too many tries; wait a minute.")
        asked = await parsed(enrolment_pb2.EnrolRequest, request, context)
        if not NAME.fullmatch(asked.device_id) or PHONE in asked.device_id or len(asked.secret) > SECRET_CHARACTERS_MAX:
            await invalid(context, "The device id or the secret is not what it may be.")
        try:
            issued = await self._issued(lambda: self._authority.enrol(*_enrolment(asked)), context)
        except CodeRefused as error:
            logger.warning("refused a wrong code from %s", peer)
            await asyncio.sleep(self._wrong_s)
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, str(error))
        except NameTaken as error:
            await context.abort(grpc.StatusCode.ALREADY_EXISTS, str(error))
        except IdentityError as error:
            await broken(context, error)
        logger.info("enrolled %s", issued.device_id)
        certificate = message(issued, self._authority.trusted())
        response = enrolment_pb2.EnrolResponse(certificate=certificate, service_port=self._service_port)
        return response.SerializeToString()

    async def _issued(self, enrol: Callable[[], Issued], context: Context) -> Issued:
        # One at a time: a guess costs 16 MiB and 50 ms.
        async with self._one_by_one:
            try:
                return await asyncio.to_thread(enrol)
            except ValueError:
                await invalid(context, NO_REQUEST)
                raise


async def _whole(work: Coroutine[None, None, None]) -> None:
    """To its end, also when it is cancelled meanwhile: gRPC does not bear a server that is half started or stopped."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


def _enrolment(asked: enrolment_pb2.EnrolRequest) -> tuple[str, bytes, str]:
    return asked.secret, asked.signing_request, asked.device_id


def message(issued: Issued, trusted: bytes) -> enrolment_pb2.BoardCertificate:
    """A certificate as it is sent."""
    return enrolment_pb2.BoardCertificate(
        device_id=issued.device_id,
        certificate=issued.certificate.decode(),
        authority=trusted.decode(),
        issued_at_unix_us=issued.board.renewed_at_unix_us,
        expires_at_unix_us=issued.board.expires_at_unix_us,
    )


async def parsed(kind: type[M], request: bytes, context: Context) -> M:
    """The request; ends the call where it is none."""
    try:
        if len(request) <= REQUEST_BYTES_MAX:
            return kind.FromString(request)
    except DecodeError:
        pass
    await invalid(context, f"The request is not {kind.DESCRIPTOR.name}, or too long.")
    raise AssertionError("unreachable: abort raises")


async def broken(context: Context, error: IdentityError) -> None:
    """Ends the call: our own files cannot be read or written."""
    logger.error("no certificate could be issued: %s", error)
    await context.abort(grpc.StatusCode.INTERNAL, "The service cannot issue certificates now; its log says more.")


async def invalid(context: Context, sentence: str) -> None:
    """Ends the call."""
    await context.abort(grpc.StatusCode.INVALID_ARGUMENT, sentence)
