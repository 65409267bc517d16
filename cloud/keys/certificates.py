"""Keys and X.509 certificates of a small authority. The service's only file that makes or reads any.

All certificates are valid from 1970 on: a board without a battery for its clock starts there, and gRPC judges by the
system's clock alone. A slow clock then never breaks the link; `not after` still ends it. When a certificate was issued
stands in the upper half of its serial number instead, in microseconds.

Keys are of P-256: known to every TLS, and quick on small boards.
"""

import datetime
import secrets
from collections.abc import Sequence
from ipaddress import ip_address
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from common.errors import IdentityError

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_TIME_BITS_BELOW = 64


class Pair(NamedTuple):
    """A private key and its certificate, both PEM."""

    key: bytes
    certificate: bytes


class Facts(NamedTuple):
    """What one wants to know of a certificate."""

    name: str
    """Common name."""
    issued_at_unix_us: int
    expires_at_unix_us: int
    alternative_names: frozenset[str]


def new_authority(name: str, issued_at_us: int, expires_at_us: int) -> Pair:
    """An authority that may issue for ends, and for no other authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(name)
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    builder = _builder(subject, subject, key.public_key(), issued_at_us, expires_at_us, authority=True)
    return Pair(_key_pem(key), _pem(builder.add_extension(usage, critical=True).sign(key, hashes.SHA256())))


def new_self_signed(tls_name: str, issued_at_us: int, expires_at_us: int) -> Pair:
    """A server that is known by the hash of its certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(tls_name)
    builder = _builder(subject, subject, key.public_key(), issued_at_us, expires_at_us)
    return Pair(_key_pem(key), _pem(_server(builder, [tls_name]).sign(key, hashes.SHA256())))


def new_server(authority: Pair, names: Sequence[str], issued_at_us: int, expires_at_us: int) -> Pair:
    """A server of an authority, under these names and addresses."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer, issuing_key = _load(authority)
    builder = _builder(_name(names[0]), issuer.subject, key.public_key(), issued_at_us, expires_at_us)
    return Pair(_key_pem(key), _pem(_server(builder, names).sign(issuing_key, hashes.SHA256())))


def new_board(authority: Pair, device_id: str, key: bytes, issued_at_us: int, expires_at_us: int) -> bytes:
    """The certificate, PEM, of the board that has this public key (SubjectPublicKeyInfo in DER)."""
    issuer, issuing_key = _load(authority)
    public = serialization.load_der_public_key(key)
    assert isinstance(public, ec.EllipticCurvePublicKey), "it went through requested_key"
    builder = _builder(_name(device_id), issuer.subject, public, issued_at_us, expires_at_us)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    return _pem(builder.add_extension(usage, critical=False).sign(issuing_key, hashes.SHA256()))


def requested_key(request: bytes) -> bytes:
    """The public key (SubjectPublicKeyInfo in DER) of a signing request (PKCS #10 in DER), which must be of P-256 and
    signed by the key itself; all else that it asks for is not looked at. ValueError."""
    try:
        parsed = x509.load_der_x509_csr(request)
        key, signed = parsed.public_key(), parsed.is_signature_valid
    # What cryptography raises of a made-up version, kind of key or curve is not always a ValueError.
    except Exception as error:
        raise ValueError("not a signing request") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("not of P-256")
    if not signed:
        raise ValueError("not signed by its own key")
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def facts(certificate: bytes) -> Facts:
    """Of a certificate in PEM. ValueError if it is none of ours."""
    parsed = x509.load_pem_x509_certificate(certificate)
    names = parsed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if len(names) != 1:
        raise ValueError("no common name")
    try:
        alternatives = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        known = frozenset(str(each.value) for each in alternatives)
    except x509.ExtensionNotFound:
        known = frozenset()
    expires = round((parsed.not_valid_after_utc - _EPOCH).total_seconds() * 1e6)
    return Facts(str(names[0].value), parsed.serial_number >> _TIME_BITS_BELOW, expires, known)


def is_issued_by(certificate: bytes, authority: bytes) -> bool:
    """Whether this authority signed it; both PEM."""
    try:
        x509.load_pem_x509_certificate(certificate).verify_directly_issued_by(x509.load_pem_x509_certificate(authority))
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def as_der(certificate: bytes) -> bytes:
    """PEM to DER."""
    return x509.load_pem_x509_certificate(certificate).public_bytes(serialization.Encoding.DER)


def pair_in(content: bytes, called: str) -> Pair:
    """The key and the certificate, one after the other, of a file. IdentityError, a sentence, if they do not fit."""
    key_pem, mark, certificate_pem = content.partition(b"-----BEGIN CERTIFICATE-----")
    pair = Pair(key_pem, mark + certificate_pem)
    try:
        certificate, key = _load(pair)
        fits = certificate.public_key() == key.public_key()
    # TypeError: the key is under a passphrase.
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise IdentityError(f"{called} cannot be read: {error}.") from error
    if not fits:
        raise IdentityError(f"{called}: the key and the certificate are not of each other.")
    return pair


def _load(pair: Pair) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = serialization.load_pem_private_key(pair.key, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("not an elliptic curve's key")
    return x509.load_pem_x509_certificate(pair.certificate), key


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    issued_at_us: int,
    expires_at_us: int,
    *,
    authority: bool = False,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key)
        .serial_number(max(issued_at_us, 1) << _TIME_BITS_BELOW | secrets.randbits(_TIME_BITS_BELOW))
        .not_valid_before(_EPOCH)
        .not_valid_after(_EPOCH + datetime.timedelta(microseconds=expires_at_us))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _server(builder: x509.CertificateBuilder, names: Sequence[str]) -> x509.CertificateBuilder:
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
    return builder.add_extension(alternatives, critical=False).add_extension(usage, critical=False)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
