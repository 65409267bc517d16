"""Who this board is, where its owner did not say."""

import hashlib
import platform
from pathlib import Path

MACHINE_ID_FILE = Path("/etc/machine-id")


def device_id(given: str, machine_id_file: Path = MACHINE_ID_FILE) -> str:
    """The name that was given, else one made from the machine's id: the same at every start, and nobody else's.

    machine-id(5) wants that id kept private, so a hash of it is what others see.
    """
    if given:
        return given
    try:
        machine = machine_id_file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        machine = platform.node()
    return "board-" + hashlib.sha256(f"parrotlet {machine}".encode()).hexdigest()[:12]
