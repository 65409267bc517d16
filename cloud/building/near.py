"""A name that was perhaps meant by one that is not known. Pure."""

import difflib
from collections.abc import Iterable

NAMED_MAX = 12


def did_you_mean(name: str, known: Iterable[str], else_say: str) -> str:
    """A sentence that names the nearest one, or all behind `else_say` where none is near; empty: there are none."""
    names = [str(each) for each in known]
    near = difflib.get_close_matches(name[:100], names, n=1, cutoff=0.5)
    if near:
        return f"Did you mean {near[0]}?"
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    return f"{else_say} {', '.join(names[:NAMED_MAX])}{more}." if names else ""
