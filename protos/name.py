"""What a name may be that both sides tell each other: of a board, an utterance, a domain."""

import re

_CHARACTERS = "A-Za-z0-9._-"

NAME = re.compile(rf"[{_CHARACTERS}]{{1,64}}", re.ASCII)

NAME_OR_NONE = rf"^[{_CHARACTERS}]{{0,64}}\Z"
"""For a setting."""

PHONE = ".phone-"
"""Between the name of a machine and that of a phone which speaks through it. No machine has it in its own name."""


def speaks_for(name: str, device_id: str) -> bool:
    """Whether the bearer of a name is that device, or one of its phones is."""
    return device_id == name or device_id.startswith(name + PHONE)
