"""A candidate's trial, read from what is known of its answers: by whoever reads it, however often, the same."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cloud.changing import trial as trial_module
from cloud.changing.compared import Answered
from cloud.changing.gate import Figure, Rules
from cloud.changing.shadow_store import FILE_NAME, By, Comparison, ShadowStore
from cloud.changing.trial import Trial, shared
from cloud.log.answer_store import Key


def grow(store: ShadowStore, count: int, began: int = 0) -> Iterator[int]:
    """A shadow, then a canary beside it, in which one board errs oftener and what is said of some comes late."""
    late: list[tuple[Key, By]] = []
    for number in range(began, began + count):
        by: By = ("both", "candidate", "served")[number % 3 if number > 60 else 0]
        key = Key(f"board-{number % 4}", f"u{number}")
        known = Answered(rejected=float(number % 5 == 0), slow=0.0)
        store.put(Comparison(1, key, number, by, ("a", f"b{number % 2}"), b"", known, known))
        late.append((key, by))
        while len(late) > 7 * (number % 4):
            one, its = late.pop(number % len(late))
            hard = float(one.device_id == "board-1")
            store.settle(1, one, its, candidate=float(number % 7 == 0), served=hard)
        yield number


def figures_of(trial: Trial) -> tuple[Figure, ...]:
    return (*trial.shadow.figures(), *(trial.canary.figures() if trial.canary is not None else ()))


def test_a_trial_is_the_same_however_often_it_is_read(tmp_path: Path) -> None:
    with closing(ShadowStore(tmp_path / FILE_NAME)) as store:
        growing = Trial(1, Rules())
        for number in grow(store, 200):
            if number % 3 == 0:
                growing.read(store, 1)
        for _ in range(400):
            growing.read(store, 1)
        once = Trial(1, Rules()).read(store)
    assert figures_of(once) == figures_of(growing)
    assert once.canary is not None
    assert {figure.measure for figure in once.canary.figures()} == {"error", "slow", "rejected"}
    assert once.verdict("shadow").decision == "go on"


def test_an_error_waits_until_its_utterance_is_known(tmp_path: Path) -> None:
    with closing(ShadowStore(tmp_path / FILE_NAME)) as store:
        for number, by in enumerate(("both", "candidate")):
            store.put(Comparison(1, Key("k", f"u{number}"), number, by, ("a",)))  # type: ignore[arg-type]
        store.settle(1, Key("k", "u1"), "candidate", candidate=1.0, served=None)
        trial = Trial(1, Rules()).read(store, 1)
        assert trial.canary is None
        trial.read(store, 1)
    assert trial.canary is not None
    assert [figure.measure for figure in trial.canary.figures()] == ["error", "error"]


def test_what_a_trial_knew_is_kept_so_that_nobody_reads_it_all_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / FILE_NAME
    monkeypatch.setattr(trial_module, "UNKEPT_MAX", 50)
    taken = []
    with closing(ShadowStore(file)) as store:
        for number in grow(store, 300):
            if number % 37 == 0:
                one = Trial(1, Rules())
                monkeypatch.setattr(one, "_take", lambda *row, take=one._take: (taken.append(1), take(*row)))
                one.read(store)
        assert len(taken) < 600
        kept = Trial(1, Rules()).read(store)
        state = store.trial(1, trial_module.MADE_BY)
        assert state is not None
        assert b"board-" not in state
        # Another maker's is no use, and does not stay in the way.
        monkeypatch.setattr(trial_module, "MADE_BY", 2)
        anew = Trial(1, Rules()).read(store)
        assert store.trial(1, 2) is not None
    assert figures_of(kept) == figures_of(anew)


def test_what_gates_make_of_comparisons_has_a_number(tmp_path: Path) -> None:
    with closing(ShadowStore(tmp_path / FILE_NAME)) as store:
        list(grow(store, 200))
        trial = Trial(1, Rules()).read(store)
    assert trial.canary is not None
    numbers = (trial.shadow.worse, trial.canary.worse)
    # Who changes these raises trial.MADE_BY.
    assert (trial_module.MADE_BY, *numbers) == pytest.approx((1, 0.2745365928418713, -0.0012139233602894307))


def test_the_two_gates_share_what_an_equal_candidate_may_be_returned_with() -> None:
    rules = Rules(return_alpha=0.06, margin=0.1)
    in_shadow, in_canary = shared(rules)
    assert in_shadow.return_alpha + in_canary.return_alpha == pytest.approx(0.06)
    assert 0 < in_shadow.return_alpha < in_canary.return_alpha
    assert in_shadow.margin == in_canary.margin == 0.1
