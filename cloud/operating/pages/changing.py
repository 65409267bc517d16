"""Models and domains: what serves, what is tried and what its gate says, and the steps that may be taken."""

from typing import Any, Literal, NamedTuple

from cloud.changing.board_operations import BoardOperations
from cloud.changing.listing import done
from cloud.changing.operations import Operations, Told
from cloud.changing.rollout import Kind, Subject, called
from cloud.settings import CloudSettings
from common.errors import RolloutError

SEE = 0.05
"""The difference of errors that the page tells how long it takes to see."""
HISTORY_SHOWN = 20
WHY_LENGTH_MAX = 500

Does = Literal["promote", "anyway", "rollback"]

KINDS: tuple[Kind, ...] = ("model", "domain")

GONE = "That cannot be done, or not any more: somebody else may have changed it meanwhile."

TELLS: dict[Does, str] = {
    "promote": "{candidate} will answer all boards in place of {serving}.",
    "anyway": "The gate has not let {candidate} through. It will answer all boards in place of {serving} all the same.",
    "rollback": "The last step is taken back: {undone}.",
}


class Step(NamedTuple):
    """One that is about to be taken."""

    subject: Subject
    does: Does
    rollout: int
    """Of the candidate, so that no other one's step is taken."""
    sentence: str
    told: Told


def changing(settings: CloudSettings) -> dict[str, Any]:
    """The page's values. RolloutError, DomainError."""
    operations = Operations(settings, "")
    told = [each for kind in KINDS for each in operations.told(kind, SEE)]
    on_boards = BoardOperations(settings, "")
    history = [*(step for kind in KINDS for step in operations.history(kind)), *on_boards.history()]
    history.sort(key=lambda step: (step.at_unix_us, step.number), reverse=True)
    return {
        "subjects": [(each, steps_for(each)) for each in told],
        "offered": on_boards.offered(),
        "history": [(step, done(step)) for step in history[:HISTORY_SHOWN]],
        "see_points": 100 * SEE,
        "trying": sum(each.tried is not None for each in told),
    }


def steps_for(told: Told) -> list[Does]:
    """What may be done now."""
    steps: list[Does] = []
    if told.tried is not None:
        steps.append("promote" if told.tried.verdict.decision == "promote" else "anyway")
    if told.tried is not None or told.serving is not None:
        steps.append("rollback")
    return steps


def step(settings: CloudSettings, kind: str, name: str, does: str) -> Step:
    """One that is to be confirmed. RolloutError if it cannot be taken now."""
    for each in Operations(settings, "").told(kind, SEE) if kind in KINDS else ():
        for possible in steps_for(each):
            if (each.subject.name, possible) == (name, does):
                return Step(each.subject, possible, _rollout(each), _sentence(each, possible), each)
    raise RolloutError(GONE)


def take(settings: CloudSettings, who: str, kind: str, name: str, does: str, rollout: str, why: str) -> None:
    """Takes it, if it is still of that rollout. RolloutError."""
    one = step(settings, kind, name, does)
    if str(one.rollout) != rollout:
        raise RolloutError(GONE)
    why = why.strip()[:WHY_LENGTH_MAX]
    if not why:
        raise RolloutError("A reason is missing: whoever looks at the history wants to know why.")
    operations = Operations(settings, who)
    if one.does == "rollback":
        operations.rollback(one.subject, why)
    else:
        operations.promote(one.subject, why, anyway=one.does == "anyway")


def _rollout(told: Told) -> int:
    if told.tried is not None:
        return told.tried.rollout.number
    return 0 if told.serving is None else told.serving.rollout


def _sentence(told: Told, does: Does) -> str:
    serving = told.own if told.serving is None else called(told.serving.what)
    candidate = "" if told.tried is None else called(told.tried.rollout.candidate)
    if told.tried is not None:
        undone = f"{candidate} is no longer tried, and {serving} goes on serving"
    else:
        undone = f"{serving} no longer serves"
    return TELLS[does].format(candidate=candidate, serving=serving, undone=undone)
