"""Forgets at an owner's word: in the spool, which its daemon may have open, and at the services that are set."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

from common.errors import SpoolError
from common.settings import Loaded
from edge.actions.action_lines import logged
from edge.actions.action_log import ActionLog
from edge.asking.services import chain_of
from edge.settings import EdgeSettings
from edge.spool import kept_list
from edge.spool.bringing import bring
from edge.spool.erasure import Erasure
from edge.spool.store import SpoolStore


class Outcome(NamedTuple):
    """What came of it."""

    here: int
    """Utterances of which something was kept on this board."""
    there: int
    """The same at the services."""
    why_not: str | None
    """Why a service has not been asked; None: all were."""


def forget(loaded: Loaded[EdgeSettings], erasures: Sequence[Erasure], phone: str | None = None) -> Outcome:
    """Erases here, and asks there; what cannot be asked now waits in the spool. `phone`: that of a phone which has a
    spool of its own. SpoolError or ActionError if not all was erased here."""
    with kept_list.opened(loaded, phone=phone, make=True) as store, _logged(loaded, phone) as log:
        known = _known(store)
        done = {entry.utterance_id for entry in log.entries()} if log else set()
        wanted = [whole(known | done | kept_list.sound_ids(loaded, phone), erasure) for erasure in erasures]
        # First: what is asked for twice is still erased.
        elsewhere = set().union(*(log.erase(erasure) for erasure in wanted)) if log else set()
        elsewhere |= set().union(*(kept_list.erase_sounds(loaded, erasure, phone) for erasure in wanted))
        chain = chain_of(loaded, phone=phone)
        with store.transaction():
            here = sum(store.erase(erasure) for erasure in wanted) + len(elsewhere - known)
            for member in chain.keepers:
                for erasure in wanted:
                    store.debts.owe(member.path, erasure)
        if not store.truncate_log():
            raise SpoolError("It is erased, but somebody reads the spool: copies may be left beside it; try again.")
        if any(erasure.is_everything for erasure in wanted):
            kept_list.remove_damaged(loaded, phone)
        there, why_not = bring(store, chain)
    return Outcome(here, there, why_not)


def known_ids(loaded: Loaded[EdgeSettings], phone: str | None = None) -> set[str]:
    """Ids of the utterances of which something is kept. SpoolError or ActionError."""
    with kept_list.opened(loaded, phone=phone, make=True) as store, _logged(loaded, phone) as log:
        done = {entry.utterance_id for entry in log.entries()} if log else set()
        return _known(store) | done | kept_list.sound_ids(loaded, phone)


def whole(known: set[str], erasure: Erasure) -> Erasure:
    """With the whole id, where it was cut short. SpoolError if several begin so."""
    begun = erasure.utterance_id
    if begun is None:
        return erasure
    fitting = [utterance_id for utterance_id in known if utterance_id.startswith(begun)]
    if len(fitting) > 1:
        raise SpoolError(f"{begun}: {len(fitting)} utterances begin so; give more of it.")
    # One that is not known here may be known at the service.
    return Erasure(fitting[0] if fitting else begun)


def _logged(loaded: Loaded[EdgeSettings], phone: str | None) -> AbstractContextManager[ActionLog | None]:
    """A board alone does what is asked for."""
    return logged(loaded) if phone is None else nullcontext()


def _known(store: SpoolStore) -> set[str]:
    """Ids of the utterances of which the spool keeps something."""
    told = {event.utterance_id for _, event in store.events()} | {said.utterance_id for said in store.debts.feedback()}
    return {kept.head.utterance_id for kept in store.kept()} | told
