"""What a page worked out is kept as long as it may be."""

from contextlib import closing
from pathlib import Path

import pytest

from cloud.log.answer_log import FILE_NAME
from cloud.log.answer_store import AnswerStore, Span
from cloud.operating import kept
from cloud.operating.kept import AGE_S_MAX, Kept
from common.errors import SettingsError
from tests.test_outcome_following import give, keep
from tests.test_outcome_watch import label, talk


def test_it_is_worked_out_anew_when_something_is_said_or_erased_or_after_a_while(tmp_path: Path) -> None:
    keep(tmp_path, talk(20, 0, lambda drink: False))
    times, now_s = [0], [0.0]
    values = Kept(tmp_path / FILE_NAME, lambda: now_s[0])

    def made() -> int:
        times[0] += 1
        return times[0]

    assert [values.get("a", made), values.get("a", made), values.get("b", made)] == [1, 1, 2]
    keep(tmp_path, talk(1, 50, lambda drink: False))
    assert values.get("a", made) == 1
    give(tmp_path, [label(1, "a latte", "ann")], 1)
    assert values.get("a", made) == 3
    with closing(AnswerStore(tmp_path / FILE_NAME)) as store:
        store.forget("counter", "u-3", Span())
    assert values.get("a", made) == 4
    now_s[0] = AGE_S_MAX + 1
    assert values.get("a", made) == 5


def test_not_more_than_so_many_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "KEPT_MAX", 2)
    with pytest.raises(SettingsError, match="no utterance log"):
        Kept(tmp_path / FILE_NAME).get("a", lambda: 1)
    keep(tmp_path, talk(1, 0, lambda drink: False))
    values = Kept(tmp_path / FILE_NAME)
    assert [values.get(key, lambda key=key: key) for key in "abc"] == ["a", "b", "c"]  # type: ignore[misc]
    assert values.get("c", lambda: "again") == "c"
    assert values.get("a", lambda: "again") == "again"
