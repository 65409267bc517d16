"""How boards get newer certificates: on the service's port, for the certificate they have."""

import asyncio
import logging

import grpc

from cloud.keys.authority import Authority
from cloud.keys.callers import caller_of
from cloud.keys.enrolment import NO_REQUEST, Context, broken, invalid, message, parsed
from common.errors import IdentityError
from protos import enrolment_pb2

logger = logging.getLogger(__name__)

IDENTITY_NAME = enrolment_pb2.DESCRIPTOR.services_by_name["Identity"].full_name


class IdentityService:
    """Renew, for boards that were let in."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    def handler(self) -> "grpc.GenericRpcHandler[bytes, bytes]":
        """What a grpc.aio server is given."""
        methods = {"Renew": grpc.unary_unary_rpc_method_handler(self.renew)}
        return grpc.method_handlers_generic_handler(IDENTITY_NAME, methods)

    async def renew(self, request: bytes, context: Context) -> bytes:
        caller = caller_of(context)
        assert caller is not None, "Callers lets nobody pass without one"
        asked = await parsed(enrolment_pb2.RenewRequest, request, context)
        try:
            issued = await asyncio.to_thread(self._authority.renew, caller.device_id, asked.signing_request)
        except ValueError:
            await invalid(context, NO_REQUEST)
        except IdentityError as error:
            await broken(context, error)
        logger.info("renewed the certificate of %s", issued.device_id)
        response = enrolment_pb2.RenewResponse(certificate=message(issued, self._authority.trusted()))
        return response.SerializeToString()
