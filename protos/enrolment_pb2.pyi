from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EnrolRequest(_message.Message):
    __slots__ = ("secret", "signing_request", "device_id")
    SECRET_FIELD_NUMBER: _ClassVar[int]
    SIGNING_REQUEST_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    secret: str
    signing_request: bytes
    device_id: str
    def __init__(self, secret: _Optional[str] = ..., signing_request: _Optional[bytes] = ..., device_id: _Optional[str] = ...) -> None: ...

class EnrolResponse(_message.Message):
    __slots__ = ("certificate", "service_port")
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    SERVICE_PORT_FIELD_NUMBER: _ClassVar[int]
    certificate: BoardCertificate
    service_port: int
    def __init__(self, certificate: _Optional[_Union[BoardCertificate, _Mapping]] = ..., service_port: _Optional[int] = ...) -> None: ...

class RenewRequest(_message.Message):
    __slots__ = ("signing_request",)
    SIGNING_REQUEST_FIELD_NUMBER: _ClassVar[int]
    signing_request: bytes
    def __init__(self, signing_request: _Optional[bytes] = ...) -> None: ...

class RenewResponse(_message.Message):
    __slots__ = ("certificate",)
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    certificate: BoardCertificate
    def __init__(self, certificate: _Optional[_Union[BoardCertificate, _Mapping]] = ...) -> None: ...

class BoardCertificate(_message.Message):
    __slots__ = ("device_id", "certificate", "authority", "issued_at_unix_us", "expires_at_unix_us")
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    ISSUED_AT_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    device_id: str
    certificate: str
    authority: str
    issued_at_unix_us: int
    expires_at_unix_us: int
    def __init__(self, device_id: _Optional[str] = ..., certificate: _Optional[str] = ..., authority: _Optional[str] = ..., issued_at_unix_us: _Optional[int] = ..., expires_at_unix_us: _Optional[int] = ...) -> None: ...
