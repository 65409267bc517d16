"""Which boards a candidate answers: always the same ones, and others for another candidate. Pure."""

import hashlib

from protos.name import PHONE


def is_chosen(device_id: str, rollout: int, share: float) -> bool:
    """Whether a board is of that share of all. A board of a share is of any larger share, too; phones go with the
    board that they speak through."""
    name = device_id.partition(PHONE)[0]
    digest = hashlib.blake2b(f"{rollout} {name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") < share * 2**64
