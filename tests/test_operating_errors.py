"""What goes wrong, as the operator's page tells it from the log of a service."""

from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.made_log import Made, make_log
from benchmarks.made_operator import made_operator, made_settings, now_us
from benchmarks.made_said import make_said
from cloud.labelling.label_queue import FILE_NAME as QUEUE_FILE
from cloud.log.answer_log import FILE_NAME
from cloud.log.answer_store import AnswerStore
from cloud.log.sample import LogSample
from cloud.operating.pages.errors import errors
from cloud.outcomes import judged as judging
from cloud.outcomes.judged import judged
from common.errors import SettingsError
from tests.test_operating import Site
from tests.test_outcome_following import keep
from tests.test_outcome_watch import answer, label, talk

BOARDS = [Made("kitchen", "", -60.0, -30.0), Made("hall", "", -58.0, -28.0)]
HOUR_US = 3_600_000_000


def test_each_of_what_is_known_counts_once(tmp_path: Path) -> None:
    keep(tmp_path, talk(80, 0, lambda drink: drink == "latte"))
    keep(
        tmp_path,
        [
            answer(101, 60.0 * 101, "mocha", 0.5),
            # Five seconds after its answer.
            answer(102, 60.0 * 101 + 6, "latte", 0.9, "no a latte"),
            answer(103, 60.0 * 103, "mocha")._replace(requests=[label(103, "a mocha", "ann")]),
        ],
    )
    since, answers = judged(tmp_path, 0)
    assert (since, len(answers)) == (0, 83)
    said = [one for one in answers if one.known is not None and one.known.source == "verdict"]
    assert said and all(one.is_wrong and one.entry == "latte" for one in said)
    (labelled,) = (one for one in answers if one.facts.utterance_id == "u-103")
    assert (labelled.is_known, labelled.is_wrong, labelled.truth, labelled.chance) == (True, False, "a mocha", None)
    (again,) = (one for one in answers if one.known is not None and one.known.source == "reask")
    assert again.facts.utterance_id == "u-101"


def test_of_much_an_even_part_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_log(tmp_path, BOARDS, 400, now_us())
    monkeypatch.setattr(judging, "SAMPLE", 100)
    answers = judged(tmp_path, 0).answers
    assert 90 <= len(answers) <= 120
    assert sum(one.stands_for for one in answers) == pytest.approx(400, abs=10)
    with closing(LogSample(tmp_path / FILE_NAME)) as sample:
        drawn = sample.facts(0, 60, [("hall", "hall\0")])
    assert {one.device_id for one in drawn.facts} == {"hall"}
    assert len(drawn.facts) * drawn.stride == pytest.approx(200, abs=60)


def test_where_people_say_more_than_is_read_only_that_time_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(tmp_path, talk(200, 0, lambda drink: drink == "latte"))
    monkeypatch.setattr(judging, "SAID_MAX", 5)
    since, answers = judged(tmp_path, 0)
    assert since > 0
    assert all((one.facts.at_unix_us or 0) >= since for one in answers)
    assert sum(one.is_known for one in answers) == 5


def test_the_page_says_what_goes_wrong_and_what_to_collect(tmp_path: Path) -> None:
    now = now_us()
    make_log(tmp_path, BOARDS, 2400, now)
    make_said(tmp_path, now)
    told = errors(tmp_path, now)
    assert told["estimate"].low < 0.1 < told["estimate"].high
    assert any("Flat white" in one.phrase or "flat" in one.phrase or "order" in one.phrase for one in told["troubles"])
    with made_operator(made_settings(tmp_path)) as (address, operators):
        site = Site(address, operators, tmp_path)
        cookie = site.signed_in()
        page = site.ask("/errors", cookie=cookie).text
        assert "of the answers are wrong" in page
        assert "<b>Collect next:</b> 200 utterances" in page
        assert "said: <bdi>a large flat black please</bdi>" in page
        example = page.split('class="examples"><li><a href="')[1].split('"')[0].replace("&amp;", "&")
        assert "What people said of it" in site.ask(example, cookie=cookie).text


def test_where_nothing_was_said_nobody_knows(tmp_path: Path) -> None:
    AnswerStore(tmp_path / FILE_NAME).close()
    with made_operator(made_settings(tmp_path)) as (address, operators):
        site = Site(address, operators, tmp_path)
        cookie = site.signed_in()
        assert "Nobody knows yet what goes wrong" in site.ask("/errors", cookie=cookie).text
        keep(tmp_path, talk(40, round(now_us() / 60e6) - 100, lambda drink: drink == "latte"))
        few = site.ask("/errors", cookie=cookie).text
        assert "At least" in few and "there are 0" in few
        (tmp_path / QUEUE_FILE).write_bytes(b"no database" * 1000)
        refused = site.ask("/errors", cookie=cookie)
        assert refused.status == 503 and "drawn for labels" in refused.text
    with pytest.raises(SettingsError, match="drawn for labels"):
        judged(tmp_path, 0)
