"""Forgets at an owner's word, wherever it may lie: in the board's spool, and in those of phones without a board."""

from collections.abc import Sequence

from common.errors import SettingsError
from common.settings import Loaded
from edge import directories
from edge.phones.phones import Phones
from edge.phones.shown_certificate import page_directory
from edge.settings import EdgeSettings
from edge.spool.erasure import Erasure
from edge.spool.forgetting import Outcome, forget, known_ids, whole
from edge.spool.phone_places import phones_with_places


def forget_all(loaded: Loaded[EdgeSettings], erasures: Sequence[Erasure], named: Sequence[str] = ()) -> Outcome:
    """As `forget`, in the board's spool and in each phone's; or in those of the phones that are `named`, or whose ids
    these are. SettingsError for a name that fits none, and where the board's state is not this user's."""
    state = directories.of_the_daemon(loaded, directories.STATE, "forget")
    phones = phones_with_places(state)
    places: list[str | None] = [_one(phones, Phones(page_directory(state)), name) for name in named]
    places = places or [None, *phones]
    known = {place: known_ids(loaded, place) for place in places}
    everywhere = set().union(*known.values())
    wanted = [whole(everywhere, erasure) for erasure in erasures]
    outcomes = [
        forget(loaded, meant, place)
        for place in places
        if (meant := [erasure for erasure in wanted if _may_be(erasure, known[place], everywhere)])
    ]
    why_not = next((outcome.why_not for outcome in outcomes if outcome.why_not is not None), None)
    return Outcome(sum(outcome.here for outcome in outcomes), sum(outcome.there for outcome in outcomes), why_not)


def _may_be(erasure: Erasure, here: set[str], everywhere: set[str]) -> bool:
    """Whether it may mean what is kept here. Of what nobody knows any more, any service may know."""
    return erasure.utterance_id is None or erasure.utterance_id in here or erasure.utterance_id not in everywhere


def _one(with_places: Sequence[str], known: Phones, wanted: str) -> str:
    """Also one that was revoked, by its id."""
    phones = [phone for phone in known.all() if phone.id in with_places]
    found = {phone.id for phone in known.found(wanted)} & set(with_places) or {wanted} & set(with_places)
    if not found:
        there = ", ".join(f"{phone.name} ({phone.id})" for phone in phones) or "none"
        raise SettingsError(
            f"No phone that keeps what it said to itself is called {wanted!r}, or has that id; there are: {there}. "
            "What is said to a board is the board's, whoever's phone it was."
        )
    return found.pop()
