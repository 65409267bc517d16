"""What a name may be that both sides tell each other: of a board, an utterance, a domain."""

import re

_CHARACTERS = "A-Za-z0-9._-"

NAME = re.compile(rf"[{_CHARACTERS}]{{1,64}}", re.ASCII)

NAME_OR_NONE = rf"^[{_CHARACTERS}]{{0,64}}\Z"
"""For a setting."""
