"""Which versions of a model a board has, and what became of them. Pure.

    fetched ──► tested by itself ──► tried beside the cloud ──► current ──► (previous)
       └──────────────┴──────────────────┴──► refused ◄──────────┘

Two of them are on the disk: the current one, and either the candidate or, after a promotion, the one before. The model
that came with the program is always there besides, and never changed.
"""

from typing import Literal

import msgspec

from edge.models.trial import Trial

What = Literal["fetched", "tested", "promoted", "refused", "returned", "pinned", "unpinned", "reset", "again"]

HISTORY_MAX = 64
REFUSED_MAX = 64

DEATHS_MAX = 2
"""Times in a row that whoever ran a model for the first time did not live to say so. One may be a power cut."""

SHA_SHOWN = 12


class Held(msgspec.Struct, frozen=True):
    """A model on the disk."""

    name: str
    version: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.sha256[:SHA_SHOWN]})"

    @property
    def folder(self) -> str:
        return f"{self.version}-{self.sha256[:SHA_SHOWN]}"


class Line(msgspec.Struct, frozen=True):
    """Of the history."""

    at_unix_us: int
    what: What
    model: str
    why: str


class State(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known; each method gives the state after."""

    shipped: str = ""
    """SHA-256 of the model that came with the program, when the slots were begun."""
    current: Held | None = None
    """None: the one that came with the program."""
    previous: Held | None = None
    """To go back to; None: the one that came with the program."""
    candidate: Held | None = None
    is_tested: bool = False
    """Of the candidate."""
    trial: Trial = Trial()
    """Of the candidate."""
    refused: tuple[str, ...] = ()
    """SHA-256 of those that are not wanted again, the newest last."""
    entering: str = ""
    """SHA-256 of the model that somebody runs for the first time just now."""
    deaths: int = 0
    """Times that nobody came back from that, with the same model each time."""
    died_of: str = ""
    """SHA-256 of that model."""
    proven: str = ""
    """SHA-256 of the current one, once it has answered in the daemon."""
    is_pinned: bool = False
    """Nothing is fetched, tried or promoted until its owner says so."""
    history: tuple[Line, ...] = ()

    @property
    def kept(self) -> tuple[Held, ...]:
        """What has to be on the disk."""
        return tuple(held for held in (self.current, self.previous, self.candidate) if held is not None)

    def wants(self, sha256: str) -> bool:
        """Whether a model that is offered is to be fetched."""
        known = {self.shipped, *self.refused, *(held.sha256 for held in (self.current, self.candidate) if held)}
        return not self.is_pinned and sha256 not in known

    def begun(self, shipped: str, at_unix_us: int) -> "State":
        """As the board finds it when it starts. Another program brings its own model: all else was made for another."""
        if self.shipped == shipped:
            return self.died(at_unix_us)
        fresh = State(shipped=shipped, is_pinned=self.is_pinned, history=self.history)
        return fresh._told(at_unix_us, "reset", "", "The program came with another model.") if self.shipped else fresh

    def fetched(self, held: Held, at_unix_us: int) -> "State":
        """It takes the second slot. One that was the current one before need not be fetched, and comes like this."""
        state = self._with(candidate=held, is_tested=False, trial=Trial(), previous=None, entering="", deaths=0)
        return state._told(at_unix_us, "fetched", str(held), "It is offered by the service.")

    def tested(self, at_unix_us: int, why: str) -> "State":
        """The candidate may be tried."""
        return self._with(is_tested=True)._told(at_unix_us, "tested", str(self.candidate), why)

    def tried(self, trial: Trial) -> "State":
        """There is more to judge the candidate by."""
        return self._with(trial=trial)

    def promoted(self, at_unix_us: int, why: str) -> "State":
        """The candidate is the current one."""
        state = self._with(current=self.candidate, previous=self.current, candidate=None, is_tested=False, proven="")
        return state._told(at_unix_us, "promoted", str(self.candidate), why)

    def refuses(self, at_unix_us: int, why: str) -> "State":
        """The candidate goes, and is not fetched again."""
        if self.candidate is None:
            return self
        state = self._without(self.candidate.sha256)._with(candidate=None, is_tested=False, trial=Trial())
        return state._told(at_unix_us, "refused", str(self.candidate), why)

    def goes_back(self, at_unix_us: int, why: str) -> "State":
        """To the model before the current one, which is not fetched again."""
        if self.current is None:
            return self
        state = self._without(self.current.sha256)._with(current=self.previous, previous=None, proven="")
        return state._told(at_unix_us, "returned", str(self.current), why)

    def takes_back(self, at_unix_us: int, why: str) -> "State":
        """The last step: the candidate, else the current one."""
        return self.refuses(at_unix_us, why) if self.candidate else self.goes_back(at_unix_us, why)

    def withdrawn(self, withdrawn: frozenset[str], at_unix_us: int) -> "State":
        """Without what the service offers no more."""
        state, why = self, "The service has withdrawn it."
        if state.candidate is not None and state.candidate.sha256 in withdrawn:
            state = state.refuses(at_unix_us, why)
        if state.previous is not None and state.previous.sha256 in withdrawn:
            state = state._with(previous=None)
        if state.current is not None and state.current.sha256 in withdrawn:
            state = state.goes_back(at_unix_us, why)
        # Offered again, it may be fetched again.
        return state._with(refused=tuple(one for one in state.refused if one not in withdrawn))

    def refuses_unseen(self, sha256: str) -> "State":
        """What came does not fit this board, whoever fetches it."""
        return self._without(sha256)

    def enters(self, sha256: str) -> "State":
        """Somebody runs it for the first time; who does not come back, did not survive it."""
        return self._with(entering=sha256, deaths=self.deaths if self.died_of == sha256 else 0)

    def left(self, *, proven: bool = False) -> "State":
        """They came back."""
        return self._with(entering="", deaths=0, proven=self.entering if proven else self.proven)

    def pinned(self, at_unix_us: int, why: str, *, pinned: bool) -> "State":
        state = self._with(is_pinned=pinned)
        return state._told(at_unix_us, "pinned" if pinned else "unpinned", str(self.current or "shipped"), why)

    def again(self, at_unix_us: int, why: str) -> "State":
        """What was refused may be fetched again."""
        return self._with(refused=())._told(at_unix_us, "again", "", why)

    def died(self, at_unix_us: int) -> "State":
        """Whoever ran a model for the first time, if anybody did; they did not come back."""
        if not self.entering:
            return self
        deaths, entering = self.deaths + 1, self.entering
        if deaths < DEATHS_MAX:
            # A second start that runs nothing is no second death.
            return self._with(deaths=deaths, died_of=entering, entering="")
        why = f"Tried, not survived: whoever ran it died, {deaths} times."
        state = self.left()
        if state.candidate is not None and state.candidate.sha256 == entering:
            return state.refuses(at_unix_us, why)
        if state.current is not None and state.current.sha256 == entering:
            return state.goes_back(at_unix_us, why)
        return state

    def _without(self, sha256: str) -> "State":
        others = tuple(one for one in self.refused if one != sha256)
        return self._with(refused=(*others, sha256)[-REFUSED_MAX:], entering="", deaths=0)

    def _told(self, at_unix_us: int, what: What, model: str, why: str) -> "State":
        return self._with(history=(*self.history, Line(at_unix_us, what, model, why))[-HISTORY_MAX:])

    def _with(self, **changes: object) -> "State":
        return msgspec.structs.replace(self, **changes)
