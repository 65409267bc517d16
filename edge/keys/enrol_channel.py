"""Asks for certificates. Knows gRPC, as edge/asking/cloud_channel.py does; no daemon loads this one."""

import socket
import ssl
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message

from common.addresses import Address
from common.errors import IdentityError
from edge.asking.unreachable import why_unreachable
from edge.keys.identity import Identity
from protos import enrolment_pb2
from protos.enrolment_code import ENROLMENT_TLS_NAME, SERVICE_TLS_NAME, EnrolmentCode

M = TypeVar("M", enrolment_pb2.EnrolResponse, enrolment_pb2.RenewResponse)

CONNECT_S_MAX = 5.0
ANSWER_S_MAX = 15.0
TRIES_MAX = 3


def shown_certificate(address: Address) -> bytes:
    """What a port shows of itself, X.509 in DER. It proves nothing yet. IdentityError, a sentence, if there is none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    try:
        with socket.create_connection((address.host.strip("[]"), address.port), CONNECT_S_MAX) as connection:
            with context.wrap_socket(connection) as tls:
                return tls.getpeercert(binary_form=True) or b""
    except UnicodeError as error:
        raise IdentityError(f"{address}: that is no name of a machine.") from error
    except OSError as error:
        why = error.strerror or str(error)
        raise IdentityError(
            f"{address}: nobody can enrol there ({why}). Is a code open? parrotlet-cloud pki enrol makes one, and the "
            "service must run."
        ) from error


def ask_enrol(
    address: Address, shown: bytes, code: EnrolmentCode, request: bytes, device_id: str
) -> enrolment_pb2.EnrolResponse:
    """Sends the secret to whoever has the key of the certificate that was shown, and to nobody else. IdentityError."""
    trusted = ssl.DER_cert_to_PEM_cert(shown).encode()
    asked = enrolment_pb2.EnrolRequest(secret=code.secret, signing_request=request, device_id=device_id)
    with _channel(str(address), ENROLMENT_TLS_NAME, grpc.ssl_channel_credentials(trusted)) as channel:
        enrol = channel.unary_unary(
            "/parrotlet.v1.Enrolment/Enrol",
            request_serializer=enrolment_pb2.EnrolRequest.SerializeToString,
            response_deserializer=enrolment_pb2.EnrolResponse.FromString,
        )
        answered: enrolment_pb2.EnrolResponse = _answer(str(address), enrol, asked)
        return answered


def is_at(identity: Identity, address: Address) -> bool:
    """Whether the service that a board enrolled with answers there: nobody else has its key."""
    with _channel(str(address), SERVICE_TLS_NAME, _credentials(identity)) as channel:
        try:
            grpc.channel_ready_future(channel).result(CONNECT_S_MAX)
        except grpc.FutureTimeoutError:
            return False
    return True


def ask_renew(identity: Identity, address: str, request: bytes) -> enrolment_pb2.RenewResponse:
    """A newer certificate for the one that the board has. IdentityError."""
    with _channel(address, SERVICE_TLS_NAME, _credentials(identity)) as channel:
        renew = channel.unary_unary(
            "/parrotlet.v1.Identity/Renew",
            request_serializer=enrolment_pb2.RenewRequest.SerializeToString,
            response_deserializer=enrolment_pb2.RenewResponse.FromString,
        )
        asked = enrolment_pb2.RenewRequest(signing_request=request)
        answered: enrolment_pb2.RenewResponse = _answer(address, renew, asked)
        return answered


def _credentials(identity: Identity) -> grpc.ChannelCredentials:
    parts = (identity.authority, identity.key, identity.certificate)
    return grpc.ssl_channel_credentials(*(part.encode() for part in parts))


def _channel(address: str, tls_name: str, credentials: grpc.ChannelCredentials) -> grpc.Channel:
    # The name is that of the role; the address may change.
    options = (("grpc.ssl_target_name_override", tls_name), ("grpc.enable_retries", 0))
    return grpc.secure_channel(address, credentials, options=options)


def _answer(address: str, ask: "grpc.UnaryUnaryMultiCallable[Any, M]", asked: Message) -> M:
    """Asked again where the link broke: the same request gets the same answer."""
    for tries_left in reversed(range(TRIES_MAX)):
        try:
            return ask(asked, timeout=ANSWER_S_MAX)
        except grpc.RpcError as error:
            code = error.code()
            if code is grpc.StatusCode.UNAVAILABLE and tries_left:
                continue
            details = (error.details() or "").rstrip(".")
            raise IdentityError(_sentence(address, code, details)) from error
    raise AssertionError("unreachable: the last try returns or raises")


def _sentence(address: str, code: grpc.StatusCode, details: str) -> str:
    match code:
        case grpc.StatusCode.UNAVAILABLE:
            return why_unreachable(address, details)
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return f"{address}: the service did not answer in time."
        case _:
            return f"{address}: {details}."
