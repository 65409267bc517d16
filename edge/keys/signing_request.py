"""The board's key, and the request to have it certified. The board's only file that makes keys: its library takes
16 MB, which no daemon wants."""

from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class SigningRequest(NamedTuple):
    """A new key that has not left this process."""

    key: str
    """Private, PEM."""
    request: bytes
    """PKCS #10 in DER."""


def new_request(device_id: str) -> SigningRequest:
    """A new key on P-256, and its request."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device_id)])
    request = x509.CertificateSigningRequestBuilder(name).sign(key, hashes.SHA256())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return SigningRequest(pem.decode(), request.public_bytes(serialization.Encoding.DER))


def fits(key: str, certificate: str, authority: str) -> bool:
    """Whether the certificate is that key's, and was issued by that authority; all PEM."""
    try:
        issued = x509.load_pem_x509_certificate(certificate.encode())
        issued.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.encode()))
        own = serialization.load_pem_private_key(key.encode(), password=None)
    except Exception:  # The library raises several kinds, ValueError and InvalidSignature among them.
        return False
    return issued.public_key() == own.public_key()
