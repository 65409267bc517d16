"""How boards get newer certificates: on the service's port, for the certificate they have."""

import asyncio
import logging

import grpc

from cloud.keys.authority import Authority
from cloud.keys.boards import ShutOut
from cloud.keys.callers import caller_of
from cloud.keys.enrolment import NO_REQUEST, Context, broken, invalid, message, parsed
from cloud.keys.tries import Tries
from common.errors import IdentityError
from protos import enrolment_pb2

logger = logging.getLogger(__name__)

IDENTITY_NAME = enrolment_pb2.DESCRIPTOR.services_by_name["Identity"].full_name


class IdentityService:
    """Renew, for boards that were let in."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._tries = Tries()

    def handler(self) -> "grpc.GenericRpcHandler[bytes, bytes]":
        """What a grpc.aio server is given."""
        methods = {"Renew": grpc.unary_unary_rpc_method_handler(self.renew)}
        return grpc.method_handlers_generic_handler(IDENTITY_NAME, methods)

    async def renew(self, request: bytes, context: Context) -> bytes:
        caller = caller_of(context)
        assert caller is not None, "Callers lets nobody pass without one"
        asked = await parsed(enrolment_pb2.RenewRequest, request, context)
        # Each writes the list of boards, under a lock that enrolments wait for.
        if not self._tries.may(caller.device_id):
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "There are too many renewals; wait a minute.")
        known_as = caller.device_id, caller.issued_at_unix_us
        try:
            issued = await asyncio.to_thread(self._authority.renew, *known_as, asked.signing_request)
        except ValueError:
            await invalid(context, NO_REQUEST)
        except ShutOut as error:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, str(error))
        except IdentityError as error:
            await broken(context, error)
        logger.info("renewed the certificate of %s", issued.device_id)
        response = enrolment_pb2.RenewResponse(certificate=message(issued, self._authority.trusted()))
        return response.SerializeToString()
