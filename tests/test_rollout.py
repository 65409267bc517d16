"""What is tried, what serves, and who changed that: the tables, the commands, and what a candidate's folder becomes."""

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from benchmarks import chaos_rollout
from cloud.__main__ import main
from cloud.building.domain import load_domain
from cloud.changing.canary import is_chosen
from cloud.changing.compared import Answered
from cloud.changing.copied_domain import copied
from cloud.changing.gate import Figure, Rules
from cloud.changing.rollout import Subject
from cloud.changing.rollout_store import BACK_MAX, FILE_NAME, STEPS, RolloutStore
from cloud.changing.running import served_settings
from cloud.changing.shadow_store import FILE_NAME as SHADOW_FILE_NAME
from cloud.changing.shadow_store import By, Comparison, ShadowStore
from cloud.log.answer_store import Key
from cloud.settings import CloudSettings, Decoding, Domains, Storage
from common.errors import DomainError, RolloutError
from common.migration import migrate

WHISPER = Subject("model", "whisper")
FIGURE = Figure("error", "", 400, -0.05, -0.08, -0.02, 0.0, 1.2)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RolloutStore]:
    with closing(RolloutStore(tmp_path / FILE_NAME, unix_us=lambda: 7)) as opened:
        yield opened


def begin(store: RolloutStore, candidate: str, share: float = 0.0, subject: Subject = WHISPER) -> int:
    return store.begin(subject, candidate, candidate, who="ann", why="to see", share=share).number


def promote(store: RolloutStore, candidate: str) -> None:
    begin(store, candidate)
    store.promote(WHISPER, who="ann", why="better", figures=[FIGURE])


def test_a_candidate_goes_its_way_and_each_step_is_in_the_history(store: RolloutStore) -> None:
    number = begin(store, "base")
    store.canary(WHISPER, 0.2, who="bob", why="a week", figures=[])
    assert [(one.candidate, one.state, one.share) for one in store.all_active()] == [("base", "canary", 0.2)]
    assert store.serving(WHISPER) is None
    store.promote(WHISPER, who="ann", why="better", figures=[FIGURE])
    serving = store.serving(WHISPER)
    assert serving is not None
    assert (serving.what, serving.rollout) == ("base", number)
    assert store.all_active() == []
    steps = store.history()
    assert [(step.who, step.action, step.before, step.after, step.serves) for step in steps] == [
        ("ann", "shadow", "", "shadow", ""),
        ("bob", "canary", "shadow", "canary", ""),
        ("ann", "promote", "canary", "promoted", "base"),
    ]
    assert [step.share for step in steps] == [None, 0.2, None]
    assert msgspec.json.decode(steps[-1].figures, type=list[Figure]) == [FIGURE]
    assert (steps[-1].why, steps[-1].at_unix_us) == ("better", 7)


def test_a_rollback_takes_back_the_last_step_and_returns_to_what_served_before(store: RolloutStore) -> None:
    for candidate in ("base", "small"):
        promote(store, candidate)
    begin(store, "medium", share=0.5)
    undone = [store.rollback(WHISPER, who="ann", why="no") for _ in range(3)]
    assert [(step.candidate, step.before, step.serves) for step in undone] == [
        ("medium", "canary", "small"),
        ("small", "promoted", "base"),
        ("base", "promoted", ""),
    ]
    assert store.serving(WHISPER) is None
    with pytest.raises(RolloutError, match="nothing to roll back"):
        store.rollback(WHISPER, who="ann", why="no")


def test_what_is_gone_back_to_has_an_end_and_then_the_settings_count(store: RolloutStore) -> None:
    names = [f"weights-{number}" for number in range(BACK_MAX + 2)]
    for candidate in names:
        promote(store, candidate)
    assert store.needed("model") == names[2:]
    assert store.needed("domain") == []
    undone = [store.rollback(WHISPER, who="ann", why="no").serves for _ in range(BACK_MAX)]
    assert undone == [*reversed(names[2:-1]), ""]
    assert [step.candidate for step in store.history() if step.action == "promote"] == names


def test_what_cannot_be_is_refused_and_changes_nothing(store: RolloutStore) -> None:
    with pytest.raises(RolloutError, match="nothing to promote"):
        store.promote(WHISPER, who="ann", why="", figures=[])
    promote(store, "base")
    with pytest.raises(RolloutError, match="serves already"):
        begin(store, "base")
    number = begin(store, "small")
    with pytest.raises(RolloutError, match="small is being tried already"):
        begin(store, "tiny.en")
    before = store.history()
    assert store.give_back(number, who="the service", why="worse", figures=[FIGURE]) is not None
    # Somebody was quicker.
    assert store.give_back(number, who="the service", why="worse", figures=[FIGURE]) is None
    assert len(store.history()) == len(before) + 1


def test_what_was_judged_is_what_is_promoted_and_not_what_came_in_its_place(store: RolloutStore) -> None:
    judged = begin(store, "base")
    store.rollback(WHISPER, who="bob", why="no")
    number = begin(store, "small")
    with pytest.raises(RolloutError, match=r"Meanwhile another candidate for model whisper is being tried: small\."):
        store.promote(WHISPER, who="the service", why="better", figures=[FIGURE], number=judged)
    assert store.serving(WHISPER) is None
    assert store.promote(WHISPER, who="ann", why="better", figures=[FIGURE], number=number).state == "promoted"


def test_subjects_do_not_meet_and_others_see_what_was_changed(store: RolloutStore, tmp_path: Path) -> None:
    coffee = Subject("domain", "coffee")
    with closing(RolloutStore(tmp_path / FILE_NAME)) as other:
        seen = other.version()
        begin(store, "base")
        begin(store, "/next/coffee", subject=coffee)
        assert other.version() != seen
        assert [one.subject for one in other.all_active()] == [WHISPER, coffee]
        assert [step.subject for step in other.history("domain", "coffee")] == [coffee]


def test_the_history_of_an_older_release_goes_on(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as database:
        migrate(database, STEPS[:1])
        database.execute(
            "INSERT INTO rollouts VALUES (1, 'model', 'whisper', 'base', 'base', 'canary', 0.2, 0, ?, 7)",
            (msgspec.json.encode(Rules()).decode(),),
        )
        database.execute(
            "INSERT INTO history VALUES (1, 7, 'ann', 'model', 'whisper', 'canary', 1, '', 'canary', '', 'x', '')"
        )
    with closing(RolloutStore(tmp_path / FILE_NAME)) as store:
        store.canary(WHISPER, 0.5, who="bob", why="more", figures=[])
        assert [(step.who, step.share) for step in store.history()] == [("ann", None), ("bob", 0.5)]


def test_the_history_is_only_added_to_and_is_its_owners_alone(store: RolloutStore, tmp_path: Path) -> None:
    begin(store, "base")
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as database:
        for statement in ("DELETE FROM history", "UPDATE history SET who = 'nobody'"):
            with pytest.raises(sqlite3.IntegrityError, match="only added to"):
                database.execute(statement)
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("no database, but long enough to be looked at" * 30)
    with pytest.raises(RolloutError, match=r"rollouts\.db: cannot be used"):
        RolloutStore(tmp_path / FILE_NAME)
    settings = CloudSettings(storage=Storage(state_dir=tmp_path))
    assert served_settings(settings) == settings


def test_a_share_is_always_the_same_boards_and_others_for_another_candidate() -> None:
    boards = [f"board-{number}" for number in range(2000)]
    chosen = {board for board in boards if is_chosen(board, 1, 0.2)}
    assert 340 < len(chosen) < 460
    assert chosen < {board for board in boards if is_chosen(board, 1, 0.5)}
    assert len(chosen & {board for board in boards if is_chosen(board, 2, 0.2)}) < 130
    assert all(is_chosen(f"{board}.phone-3", 1, 0.2) == (board in chosen) for board in boards[:50])


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "next" / "shop"
    folder.mkdir(parents=True)
    (folder / "catalogue.jsonl").write_text('{"id": "tea", "title": "Tea"}\n')
    (folder / "notes.txt").write_text("nobody's business")
    return folder


def test_a_copy_of_a_domain_is_what_it_was_whatever_happens_to_the_folder(shop: Path, tmp_path: Path) -> None:
    domain = load_domain(str(shop))
    folder = copied(domain, tmp_path / "candidates")
    assert copied(domain, tmp_path / "candidates") == folder
    (shop / "catalogue.jsonl").write_text('{"id": "cake", "title": "Cake"}\n')
    assert load_domain(str(folder)).version == domain.version
    assert [path.name for path in folder.iterdir()] == ["catalogue.jsonl"]
    assert [path.name for path in (tmp_path / "candidates").iterdir()] == [f"shop-{domain.version}"]
    (folder / "catalogue.jsonl").write_text("damaged")
    with pytest.raises(DomainError, match="changed while it was copied"):
        copied(domain, tmp_path / "candidates")
    (shop / "catalogue.jsonl").write_text('{"id": "tea", "title": "Tea"}\n')
    assert load_domain(str(copied(domain, tmp_path / "candidates"))).version == domain.version
    (shop / "catalogue.jsonl").write_text('{"id": "cake", "title": "Cake"}\n')
    with pytest.raises(DomainError, match="changed while it was copied"):
        copied(domain, tmp_path / "elsewhere")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_what_was_promoted_counts_from_the_start_and_what_cannot_be_used_does_not(
    store: RolloutStore, tmp_path: Path, shop: Path
) -> None:
    own = tmp_path / "shop"
    own.mkdir()
    (own / "catalogue.jsonl").write_text('{"id": "milk", "title": "Milk"}\n')
    settings = CloudSettings(
        decoding=Decoding(whisper_model="tiny.en"),
        domains=Domains(serve=("home", str(own))),
        storage=Storage(state_dir=tmp_path, weights_dir=tmp_path / "weights"),
    )
    promote(store, "base")
    subject = Subject("domain", "shop")
    store.begin(subject, str(shop), load_domain(str(shop)).version, who="ann", why="")
    store.promote(subject, who="ann", why="", figures=[])
    changed = served_settings(settings)
    assert changed.decoding.whisper_model == "tiny.en"  # The other weights are not here.
    assert changed.domains.serve == ("home", str(shop))
    (shop / "catalogue.jsonl").write_text("damaged")
    assert served_settings(settings) == settings
    for file in shop.iterdir():
        file.unlink()
    shop.rmdir()
    assert served_settings(settings) == settings


class Owner:
    """Who types commands."""

    def __init__(self, folder: Path) -> None:
        self.state_dir = folder / "state"
        self.own = folder / "shop"
        self.own.mkdir()
        (self.own / "catalogue.jsonl").write_text('{"id": "milk", "title": "Milk"}\n')
        self._environment = {
            "PARROTLET_CLOUD_STORAGE_STATE_DIR": str(self.state_dir),
            "PARROTLET_CLOUD_DOMAINS_SERVE": str(self.own),
            "PARROTLET_CLOUD_STORAGE_WEIGHTS_DIR": str(folder / "weights"),
            "SUDO_USER": "ann",
        }

    def types(self, *words: str) -> Result:
        return CliRunner().invoke(main, list(words), env=self._environment)

    def hear(self, errors: tuple[float, float], count: int = 400, by: tuple[By, ...] = ("both",)) -> None:
        """As a service would put down: the candidate's errors, and those of what serves."""
        with closing(ShadowStore(self.state_dir / SHADOW_FILE_NAME)) as store:
            for number in range(count):
                rest = Answered(rejected=0.0)
                candidate, served = (float((number * 7919 % 100) / 100 < rate) for rate in errors)
                for one in by:
                    key = Key("kitchen", f"u{number}")
                    store.put(Comparison(1, key, number, one, ("intent=order",), b"", rest, rest))
                    store.settle(1, key, one, candidate=candidate, served=served)


@pytest.fixture
def owner(tmp_path: Path) -> Owner:
    return Owner(tmp_path)


def test_an_owner_tries_and_promotes_a_domain_by_its_gate(owner: Owner, shop: Path) -> None:
    said = owner.types("domains", "shadow", str(shop), "--why", "new menu")
    assert said.exit_code == 0, said.stderr
    copy = f"shop-{load_domain(str(shop)).version}"
    assert said.stdout == f"{copy} is in the shadow.\n"
    assert (owner.state_dir / "candidates" / copy / "shop").is_dir()
    assert f"  {copy}: in the shadow" in owner.types("domains", "list").stdout
    assert "go on" in owner.types("domains", "list").stdout
    refused = owner.types("domains", "promote", "shop", "--why", "because")
    assert refused.exit_code == 2
    assert "does not let" in refused.stderr
    assert "--anyway" in refused.stderr
    owner.hear((0.05, 0.3))
    listed = owner.types("domains", "list", "--see", "10").stdout
    assert "promote: The candidate is good enough everywhere" in listed
    assert "error intent=order" in listed
    assert "To see 10 points of errors takes" in listed
    assert owner.types("domains", "canary", "shop", "--share", "0.3", "--why", "carefully").exit_code == 0
    told = json.loads(owner.types("domains", "list", "--json").stdout)
    assert (told["tried"]["rollout"]["state"], told["tried"]["rollout"]["share"]) == ("canary", 0.3)
    assert "No board of the canary" in owner.types("domains", "promote", "shop", "--why", "better").stderr
    owner.hear((0.05, 0.3), by=("candidate", "served"))
    assert owner.types("domains", "promote", "shop", "--why", "better").exit_code == 0
    history = owner.types("domains", "history", "shop").stdout
    assert f"domain shop: canary {copy}, 30% of the boards\n" in history
    assert "ann  domain shop: promote" in history
    assert "new menu" in history
    assert "anyway" not in history
    undone = owner.types("domains", "rollback", "shop", "--why", "no milk")
    assert "what the settings say serves" in undone.stdout
    assert f"domain shop: {owner.own}, as the settings say" in owner.types("domains", "list").stdout


def test_how_many_days_it_takes_is_told_by_what_came_of_late_and_is_known(owner: Owner, shop: Path) -> None:
    def days(errors: int, hours: float) -> float | None:
        """Of 12 utterances in so many hours, of so many of which it is known who was wrong."""
        owner.types("domains", "rollback", "shop", "--why", "x")
        owner.types("domains", "shadow", str(shop), "--why", "x")
        number = json.loads(owner.types("domains", "list", "--json").stdout)["tried"]["rollout"]["number"]
        with closing(ShadowStore(owner.state_dir / SHADOW_FILE_NAME)) as store:
            for one in range(12):
                key, at_us = Key("kitchen", f"u{one}"), time.time_ns() // 1000 - round((12 - one) / 12 * hours * 3.6e9)
                store.put(Comparison(number, key, at_us, "both", ("intent=order",), b"", Answered(), Answered()))
                if one < errors:
                    store.settle(number, key, "both", candidate=0.0, served=0.0)
        tried = json.loads(owner.types("domains", "list", "--json").stdout)["tried"]
        return None if tried["days"] is None else tried["needed"] / tried["days"]

    assert days(12, hours=6) == pytest.approx(48, rel=0.01)
    assert days(6, hours=6) == pytest.approx(24, rel=0.01)
    assert days(0, hours=6) is None
    # Of so few minutes nobody knows a day.
    assert days(12, hours=0.1) is None
    # What came before the last day says nothing of now.
    assert days(12, hours=48) == pytest.approx(6, abs=1)


def test_the_history_says_who_promoted_though_the_gate_did_not(owner: Owner, shop: Path) -> None:
    assert owner.types("domains", "shadow", str(shop), "--why", "x").exit_code == 0
    assert owner.types("domains", "promote", "shop", "--anyway", "--why", "winter is here").exit_code == 0
    assert "ann  domain shop: promote anyway " in owner.types("domains", "history").stdout


def test_copies_that_nobody_goes_back_to_are_erased_after_a_day(owner: Owner, shop: Path) -> None:
    copies = owner.state_dir / "candidates"

    def tries(drink: str, *steps: tuple[str, ...]) -> str:
        (shop / "catalogue.jsonl").write_text(f'{{"id": "{drink}", "title": "{drink}"}}\n')
        for words in (("shadow", str(shop)), *steps):
            assert owner.types("domains", *words, "--why", "x").exit_code == 0
        return f"shop-{load_domain(str(shop)).version}"

    promote, rollback = ("promote", "shop", "--anyway"), ("rollback", "shop")
    serves_below, serves = tries("tea", promote), tries("cake", promote)
    returned = tries("ale", rollback)
    for copy in copies.iterdir():
        os.utime(copy, (0, 0))
    young = tries("rum", rollback)
    assert {copy.name for copy in copies.iterdir()} == {serves_below, serves, young}
    # One that is tried again is as young.
    os.utime(copies / young, (0, 0))
    assert tries("rum", rollback) == young
    # Somebody was killed while it was erased.
    (copies / young / "shop" / "catalogue.jsonl").unlink()
    assert tries("rum", rollback) == young
    assert load_domain(str(copies / young / "shop")).entries[0].title == "rum"
    tried = tries("gin")
    assert {copy.name for copy in copies.iterdir()} == {serves_below, serves, young, tried}
    assert returned not in (serves_below, serves, young, tried)
    assert f"{returned}\n" in owner.types("domains", "history", "shop").stdout
    for step in (rollback, rollback, rollback):
        assert owner.types("domains", *step, "--why", "x").exit_code == 0


def test_what_is_typed_wrongly_gets_a_sentence(owner: Owner, shop: Path, tmp_path: Path) -> None:
    (tmp_path / "cafe").mkdir()
    (tmp_path / "cafe" / "catalogue.jsonl").write_text('{"id": "tea", "title": "Tea"}\n')
    for words, sentence in {
        ("models", "shadow", "base", "--why", "x"): "parrotlet-cloud engines fetch base",
        ("models", "shadow", "huge", "--why", "x"): "No weights are known as huge",
        ("models", "canary", "--why", "x"): "parrotlet-cloud models shadow",
        ("models", "rollback", "--why", "x"): "nothing to roll back",
        (
            "domains",
            "shadow",
            str(tmp_path / "cafe"),
            "--why",
            "x",
        ): "no domain called cafe; these are served: shop. The folder must be named like one of them.",
        ("domains", "promote", "shop", "--why", "x"): "parrotlet-cloud domains shadow",
        ("domains", "shadow", str(shop)): "Missing option '--why'",
        ("domains", "canary", str(shop), "--share", "1", "--why", "x"): "0.01<=x<=0.9",
        ("domains", "shadow", str(shop), "--why", " "): "a reason is missing",
        ("domains", "shadow", str(owner.own), "--why", "x"): "serves already, as the settings say",
        ("domains", "promote", "cafe", "--why", "x"): "There is no domain called cafe; these are served: shop.",
        ("domains", "rollback", "cafe", "--why", "x"): "There is no domain called cafe; these are served: shop.",
        ("domains", "history", "cafe"): "There is no domain called cafe; these are served: shop.",
    }.items():
        said = owner.types(*words)
        assert said.exit_code == 2, words
        assert sentence in said.stderr, words
    for words in (("domains", "history", "shop"), ("models", "history")):
        assert owner.types(*words).stderr == "Nothing was changed yet.\n"


def test_whatever_is_killed_leaves_a_state_that_its_history_leads_to(tmp_path: Path) -> None:
    found = chaos_rollout.trial_of(tmp_path, 10, 0, 3)
    assert found.kills.total() == 10
    assert found.steps > 0
    assert (found.torn, found.lost, found.doubled, found.broken) == ([], [], [], [])


def test_margins_and_promotion_by_itself_are_kept(owner: Owner, shop: Path) -> None:
    words = ("domains", "canary", str(shop), "--margin", "0.02", "--slice-margin", "0.1", "--automatic", "--why", "x")
    assert "answers 20% of the boards" in owner.types(*words).stdout
    with closing(RolloutStore(owner.state_dir / FILE_NAME)) as store:
        (tried,) = store.all_active()
    assert (tried.rules, tried.automatic) == (Rules(margin=0.02, slice_margin=0.1), True)
    assert "promoted by itself" in owner.types("domains", "list").stdout
