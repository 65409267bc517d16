"""The certificate that the page shows: the owner's, which is looked at, or one of the board's own making.

Its library is large, so that the daemon asks a short-lived process (certificate_watch.py).

Every new certificate makes every phone warn again. So there is a new one only where the old one ends within a month or
lacks a name that the owner set or the machine has; an address that changed is no reason.
"""

import datetime
import hashlib
import ssl
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from common.errors import IdentityError
from common.private_files import private_directory, write_private
from edge.phones.shown_certificate import RENEWED_DAYS, ShownCertificate

LIFE_DAYS = 730
"""What phones take at most is 825."""
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_DAY = datetime.timedelta(days=1)


def own_certificate(
    directory: Path, device_id: str, names: Sequence[str], addresses: Sequence[str], now_unix_us: int
) -> ShownCertificate:
    """The one of the board's own making that lies in this directory, made where there is none that will do.

    names: those that it must have; addresses: those that a new one gets as well. IdentityError, a sentence."""
    file = directory / "certificate.pem"
    now = _EPOCH + datetime.timedelta(microseconds=now_unix_us)
    try:
        private_directory(directory)
        found = _read(file, file)
        if found is None or _is_due(found, now) or not {_plain(name) for name in names} <= set(_names(found)):
            write_private(file, _made(device_id, [*names, *addresses], now))
            found = _read(file, file)
    except OSError as error:
        raise IdentityError(f"{file} cannot be written: {error.strerror}.") from error
    if found is None:
        raise IdentityError(f"{file} was written, and cannot be read again.")
    return _facts(found, file, file, is_owners=False)


def given_certificate(certificate_file: Path, key_file: Path, now_unix_us: int) -> ShownCertificate:
    """The owner's own. IdentityError, a sentence, if phones would not take it whatever they know."""
    for called, file in (("page.certificate_file", certificate_file), ("page.key_file", key_file)):
        try:
            file.read_bytes()
        except OSError as error:
            raise IdentityError(f"{called} is {file}: it cannot be read: {error.strerror}.") from error
    found = _read(certificate_file, key_file)
    if found is None:
        raise IdentityError(
            f"page.certificate_file is {certificate_file} and page.key_file is {key_file}: they are not a certificate "
            "and its key, both PEM, the key without a passphrase."
        )
    now = _EPOCH + datetime.timedelta(microseconds=now_unix_us)
    if found.not_valid_after_utc <= now:
        raise IdentityError(
            f"page.certificate_file is {certificate_file}: it ended on {found.not_valid_after_utc:%Y-%m-%d}; renew it."
        )
    return _facts(found, certificate_file, key_file, is_owners=True)


def _read(certificate_file: Path, key_file: Path) -> x509.Certificate | None:
    """None where there is no certificate, or not the key that is its own."""
    try:
        # As the page will: what OpenSSL thinks too weak is no good either. A passphrase is not asked for.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate_file, key_file, password="")
        return x509.load_pem_x509_certificate(certificate_file.read_bytes())
    except PermissionError:
        raise
    except (OSError, ValueError, UnsupportedAlgorithm):
        return None


def _is_due(found: x509.Certificate, now: datetime.datetime) -> bool:
    return found.not_valid_after_utc - now < RENEWED_DAYS * _DAY


def _made(device_id: str, names: Sequence[str], now: datetime.datetime) -> bytes:
    """A new key and its certificate, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Parrotlet {device_id}"[:64])])
    alternatives = [_general_name(name) for name in dict.fromkeys(names)]
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key())
        .serial_number(x509.random_serial_number())
        # A phone's clock may be slow.
        .not_valid_before(now - _DAY)
        .not_valid_after(now + LIFE_DAYS * _DAY)
        # A phone that is told to trust it trusts it for this board alone.
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(_plain(name)))
    except ValueError:
        return x509.DNSName(name)


def _plain(name: str) -> str:
    """An IPv6 address without what stands around it in `Host`."""
    return name.strip("[]")


def _names(found: x509.Certificate) -> list[str]:
    try:
        alternatives = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return [str(each.value) for each in alternatives]


def _facts(found: x509.Certificate, certificate_file: Path, key_file: Path, *, is_owners: bool) -> ShownCertificate:
    digest = hashlib.sha256(found.public_bytes(serialization.Encoding.DER)).digest()
    return ShownCertificate(
        certificate_file=str(certificate_file),
        key_file=str(key_file),
        fingerprint=digest.hex(":").upper(),
        expires_at_unix_us=round((found.not_valid_after_utc - _EPOCH).total_seconds() * 1e6),
        names=tuple(_names(found)),
        is_owners=is_owners,
    )
