"""By whom a webhook was sent, and when, so that nobody else can and none is sent again: Standard Webhooks 1.0
(https://www.standardwebhooks.com), for which there are libraries to check it by."""

import base64
import binascii
import hashlib
import hmac
from pathlib import Path

from common.errors import ActionError

PREFIX = "whsec_"
"""Of a secret in base64; any other text is the secret itself."""

SECRET_BYTES_MIN = 16


def signed(key: str, unix_s: int, body: bytes, secret: bytes) -> dict[str, str]:
    """Headers: HMAC-SHA256 over the key, the time and the body."""
    told = f"{key}.{unix_s}.".encode() + body
    mac = base64.b64encode(hmac.new(secret, told, hashlib.sha256).digest()).decode()
    return {"webhook-id": key, "webhook-timestamp": str(unix_s), "webhook-signature": f"v1,{mac}"}


def read_secret(file: Path) -> bytes:
    """ActionError, a sentence, if there is none, or it is short enough to be guessed."""
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ActionError(f"{file}: the secret cannot be read: {why}.") from error
    try:
        secret = (
            base64.b64decode(text.removeprefix(PREFIX), validate=True) if text.startswith(PREFIX) else text.encode()
        )
    except binascii.Error as error:
        raise ActionError(f"{file}: what follows {PREFIX} is not base64.") from error
    if len(secret) < SECRET_BYTES_MIN:
        raise ActionError(f"{file}: the secret has {len(secret)} bytes; it needs {SECRET_BYTES_MIN} at least.")
    return secret
