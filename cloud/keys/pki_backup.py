"""A copy of the authority in one file: keys, certificates, boards; not the codes, which live for minutes.

With a passphrase it is sealed: AES-256-GCM by a key from scrypt.
"""

import hashlib
import os
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cloud.keys.authority import FILES, Authority
from cloud.keys.certificates import pair_in
from common.errors import IdentityError
from common.private_files import private_directory, write_private

_NAMES = (*(f"{name}.pem" for name in FILES), "boards.json")
# 64 MiB and a quarter of a second: it may be guessed at for years.
_SCRYPT = {"n": 2**16, "r": 8, "p": 1, "maxmem": 2**27}
_SALT_BYTES, _NONCE_BYTES = 16, 12


class _Backup(msgspec.Struct, tag_field="parrotlet", tag="pki backup 1", omit_defaults=True):
    files: dict[str, str] = {}
    """By name; empty where it is sealed."""
    sealed: bytes = b""
    """Salt, nonce, and the files as JSON, encrypted."""


def write(authority: Authority, file: Path, passphrase: str = "") -> None:
    """IdentityError, a sentence, if it cannot be read or written."""
    there = [name for name in _NAMES if name.endswith(".pem") or (authority.directory / name).exists()]
    try:
        files = {name: _usable(authority.directory / name) for name in there}
        authority.boards.all()
        content = _Backup(sealed=_seal(msgspec.json.encode(files), passphrase)) if passphrase else _Backup(files)
        write_private(file.absolute(), msgspec.json.encode(content) + b"\n")
    except OSError as error:
        raise IdentityError(f"{error.filename or file}: {error.strerror}.") from error


def _usable(file: Path) -> str:
    """What a file of the authority holds. IdentityError, a sentence, if it would be no good when it is restored."""
    content = file.read_bytes()
    if file.suffix == ".pem":
        pair_in(content, str(file))
    try:
        return content.decode("ascii")
    except UnicodeDecodeError as error:
        raise IdentityError(f"{file} cannot be read: it is not ASCII text.") from error


def read(file: Path, passphrase: str = "") -> dict[str, str]:
    """The files of a backup by name. IdentityError, a sentence."""
    try:
        content = msgspec.json.decode(file.read_bytes(), type=_Backup)
        if content.sealed:
            if not passphrase:
                raise IdentityError(f"{file} is sealed: --passphrase reads its passphrase from standard input.")
            files = msgspec.json.decode(_unseal(content.sealed, passphrase), type=dict[str, str])
        else:
            files = content.files
    except OSError as error:
        raise IdentityError(f"{file}: {error.strerror}.") from error
    except InvalidTag as error:
        raise IdentityError(f"{file} is sealed by another passphrase, or was changed.") from error
    # ValueError: what is sealed is too short to be it.
    except (msgspec.MsgspecError, ValueError) as error:
        raise IdentityError(f"{file} is no backup that `pki backup` wrote.") from error
    if not {f"{name}.pem" for name in FILES} <= set(files) <= set(_NAMES):
        raise IdentityError(f"{file} is no whole backup.")
    for name in FILES:
        pair_in(files[f"{name}.pem"].encode(), f"{file}: {name}.pem")
    return files


def restore(files: dict[str, str], directory: Path) -> Authority:
    """Puts them into a folder that has no authority. IdentityError, a sentence."""
    try:
        private_directory(directory)
        # The authority last: without it there is none.
        for name in sorted(files, key=lambda name: name == "authority.pem"):
            write_private(directory / name, files[name].encode())
    except OSError as error:
        raise IdentityError(f"{directory} cannot be written to: {error.strerror}.") from error
    return Authority(directory)


def _seal(plain: bytes, passphrase: str) -> bytes:
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    return salt + nonce + AESGCM(_key(passphrase, salt)).encrypt(nonce, plain, None)


def _unseal(sealed: bytes, passphrase: str) -> bytes:
    salt, nonce, rest = sealed[:_SALT_BYTES], sealed[_SALT_BYTES:][:_NONCE_BYTES], sealed[_SALT_BYTES + _NONCE_BYTES :]
    return AESGCM(_key(passphrase, salt)).decrypt(nonce, rest, None)


def _key(passphrase: str, salt: bytes) -> bytes:
    return hashlib.scrypt(passphrase.encode(), salt=salt, dklen=32, **_SCRYPT)
