"""Candidates in a running service: who hears, who answers, what is let go first, what is kept, what is undone."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from cloud.building.domain import load_domain
from cloud.changing import judging
from cloud.changing.compared import Answered
from cloud.changing.copied_domain import copied
from cloud.changing.gate import Rules
from cloud.changing.operations import DAY_US
from cloud.changing.rollout import Subject
from cloud.changing.rollout_store import FILE_NAME, RolloutStore
from cloud.changing.running import Changing, Way
from cloud.changing.shadow import QUEUE_MAX, Hearer, Said, Shadow
from cloud.changing.shadow_log import SqliteShadowLog
from cloud.changing.shadow_store import FILE_NAME as SHADOW_FILE_NAME
from cloud.changing.shadow_store import Comparison, ShadowHeard, ShadowStore, forget_in_shadow
from cloud.changing.trial import Trial
from cloud.decoders import Hypothesis
from cloud.finding.served_domain import ServedDomain
from cloud.log.answer_log import SqliteAnswerLog
from cloud.log.answer_store import Key, Span
from cloud.recognition import Recogniser
from cloud.settings import CloudSettings, Decoding, Domains, Storage
from cloud.utterance import Utterance
from cloud.workers.pool import Pool
from cloud.workers.worker_line import Ready
from common.errors import EngineError
from protos import speech_pb2
from protos.feature_spec import DEFAULT_SPEC
from tests.test_recognition import FakePool

FRAMES = np.zeros((10, DEFAULT_SPEC.bands), np.int8)
SPHINX = Hypothesis("pocketsphinx", "en-us", "a tea")
BASE = Hypothesis("whisper", "base", "a tea please")
WAIT_S = 20.0


class Engines(FakePool):
    """A pool that says what its weights do."""

    made: list["Engines"]

    def __init__(
        self, outcome: Hypothesis | None, model: str = "tiny.en", options: dict[str, Any] | None = None
    ) -> None:
        super().__init__(outcome)
        self.engine = Ready("whisper", model)
        self.options = options or {}
        self.is_waited_for = False
        self.is_idle = True
        self.name = "whisper"
        self.pids = [1]
        self.ended = False
        self.made = []

    def alike(self, **options: Any) -> "Engines":
        model = Path(options.get("weights", self.engine.model)).name
        if model == "broken":
            raise EngineError("They are broken.")
        self.made.append(Engines(BASE if model == "base" else SPHINX, model, options))
        return self.made[-1]

    async def __aenter__(self) -> "Engines":
        return self

    async def __aexit__(self, *cause: object) -> None:
        self.ended = True


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqliteShadowLog]:
    with SqliteShadowLog(tmp_path / SHADOW_FILE_NAME, unix_us=lambda: 1000) as opened:
        yield opened


def menu(folder: Path, *drinks: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "catalogue.jsonl").write_text("".join(f'{{"id": "{drink}", "title": "{drink}"}}\n' for drink in drinks))
    return folder


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ServedDomain]:
    with ServedDomain(str(menu(tmp_path / "shop", "tea")), Storage(state_dir=tmp_path)) as served:
        yield served


def said(name: str, device_id: str = "kitchen", at_unix_us: int = 5, rollout: int = 1) -> Said:
    key = Key(device_id, name)
    final = speech_pb2.Final(transcript="a tea")
    return Said(key, DEFAULT_SPEC, [FRAMES] * 3, final, Comparison(rollout, key, at_unix_us, "both", ()))


def tried(log: SqliteShadowLog) -> dict[Key, ShadowHeard]:
    with closing(ShadowStore(log._file)) as store:
        return dict(store.heard())


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not true():
            await asyncio.sleep(0.005)


def run(shadow: Shadow, do: Coroutine[Any, Any, None]) -> None:
    async def beside() -> None:
        running = asyncio.create_task(shadow.run())
        try:
            await do
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(beside())


def test_what_was_answered_is_heard_again_from_the_same_frames_and_kept(
    log: SqliteShadowLog, shop: ServedDomain
) -> None:
    pool = Engines(BASE)
    shadow = Shadow(log, lambda: False)
    hearer = Hearer(Recogniser(cast(list[Pool], [pool]), answer_s_max=5.0), shop.now)
    agreed: list[tuple[Key, bool]] = []

    class Answers:
        async def agreed(self, key: Key, *, shadow_agrees: bool) -> None:
            agreed.append((key, shadow_agrees))

    shadow.answers = Answers()

    async def hear() -> None:
        assert shadow.offer(said("u1"), hearer)
        await until(lambda: shadow.counts["heard"] == 1)

    run(shadow, hear())
    assert (pool.jobs[0].frames, pool.jobs[0].closed) == (30, True)
    (key, heard), *others = tried(log).items()
    assert (key, heard.transcript, heard.agrees, others) == (Key("kitchen", "u1"), "a tea please", False, [])
    assert agreed == [(key, False)]


def test_nothing_is_heard_while_somebody_waits_for_an_answer_and_what_is_under_way_is_given_up(
    log: SqliteShadowLog, shop: ServedDomain
) -> None:
    waits = [False]
    pool = Engines(None)
    shadow = Shadow(log, lambda: waits[0])
    hearer = Hearer(Recogniser(cast(list[Pool], [pool]), answer_s_max=5.0), shop.now)

    async def hear() -> None:
        for number in range(3):
            shadow.offer(said(f"u{number}"), hearer)
        await until(lambda: bool(pool.jobs))
        waits[0] = True
        await until(lambda: shadow.counts["shed"] == 3)
        assert not shadow.offer(said("u3"), hearer)

    run(shadow, hear())
    assert [job.closed for job in pool.jobs] == [True]
    assert dict(shadow.counts) == {"shed": 4}
    assert tried(log) == {}


def test_what_waits_is_bounded(log: SqliteShadowLog, shop: ServedDomain) -> None:
    shadow = Shadow(log, lambda: False)
    hearer = Hearer(cast(Recogniser, None), shop.now)
    taken = [shadow.offer(said(f"u{number}"), hearer) for number in range(QUEUE_MAX + 2)]
    assert taken == [True] * QUEUE_MAX + [False] * 2
    assert shadow.counts["full"] == 2


@pytest.mark.parametrize("let_go", ["forgotten", "dropped"])
def test_what_is_forgotten_or_nobody_wants_any_more_is_not_written_afterwards(
    log: SqliteShadowLog, shop: ServedDomain, let_go: str
) -> None:
    pool = Engines(None)
    shadow = Shadow(log, lambda: False)
    hearer = Hearer(Recogniser(cast(list[Pool], [pool]), answer_s_max=5.0), shop.now)

    async def hear() -> None:
        for device_id in ("kitchen", "hall", "kitchen"):
            shadow.offer(said(f"u-{len(shadow._queue)}", device_id, rollout=1 + (device_id == "hall")), hearer)
        await until(lambda: bool(pool.jobs))
        pool._outcome = BASE
        if let_go == "forgotten":
            shadow.forget("kitchen", None, Span())
        else:
            shadow.drop(1)
        await until(lambda: shadow.counts["heard"] == 1)

    run(shadow, hear())
    assert [key.device_id for key in tried(log)] == ["hall"]


def test_an_engine_that_fails_costs_an_utterance(log: SqliteShadowLog, shop: ServedDomain) -> None:
    pool = Engines(None)
    shadow = Shadow(log, lambda: False)
    hearer = Hearer(Recogniser(cast(list[Pool], [pool]), answer_s_max=0.05), shop.now)

    async def hear() -> None:
        shadow.offer(said("u1"), hearer)
        await until(lambda: shadow.counts["failed"] == 1)

    run(shadow, hear())


def final(transcript: str, intent: str = "", **values: str) -> speech_pb2.Final:
    return speech_pb2.Final(
        transcript=transcript, intent=speech_pb2.Intent(name=intent, values=values) if intent else None
    )


def test_two_answers_are_the_same_if_they_would_do_the_same() -> None:
    order = final("a large tea", "order", size="l")
    assert judging.same(order, final("one large tea", "order", size="l"))
    assert not judging.same(order, final("a large tea", "order", size="s"))
    assert not judging.same(order, final("a large tea"))
    assert judging.same(final("Set 10 timers."), final("set ten timers"))
    assert not judging.same(final("ten"), final("nine"))


def test_the_slices_of_an_utterance_are_few_and_say_no_word() -> None:
    def of(device_id: str, **end: float) -> list[str]:
        config = speech_pb2.UtteranceConfig(device_id=device_id)
        return list(judging.slices(config, speech_pb2.UtteranceEnd(**end), final("secret", "order")))  # type: ignore[arg-type]

    assert of("ward3-17", snr_db=5.0) == ["boards=ward3", "intent=order", "noise=loud"]
    assert of("ward3-17.phone-2") == ["boards=phones", "intent=order"]


FEEDBACK = [
    ({"verdict": speech_pb2.VERDICT_RIGHT}, (1.0, 0.0)),
    ({"verdict": speech_pb2.VERDICT_RIGHT, "of_transcript": "A tea."}, (1.0, 0.0)),
    # Of the board's own answer.
    ({"verdict": speech_pb2.VERDICT_RIGHT, "of_transcript": "a key"}, None),
    # The other may be right or not.
    ({"verdict": speech_pb2.VERDICT_WRONG}, None),
    ({"transcript": "A tea, please"}, (0.0, 1.0)),
    ({"transcript": "coffee"}, (1.0, 1.0)),
    ({"result_id": "tea"}, None),
]


@pytest.mark.parametrize(("given", "errors"), FEEDBACK)
def test_what_people_say_judges_both_where_it_can(
    log: SqliteShadowLog, given: dict[str, Any], errors: tuple[float, float] | None
) -> None:
    async def say() -> None:
        shown = judging.mark("a tea")
        both = Comparison(1, Key("kitchen", "u1"), 5, "both", (), shown)
        await log.put(both, ShadowHeard("a tea please", "", None, 9, agrees=False))
        await log.give(speech_pb2.FeedbackRequest(device_id="kitchen", utterance_id="u1", **given))

    asyncio.run(say())
    with closing(ShadowStore(log._file)) as store:
        settled = [(one.candidate.error, one.served.error) for _, _, one in store.settled(1, 0)]
    assert settled == ([] if errors is None else [errors])


def test_where_both_say_the_same_no_label_is_needed_and_the_first_word_counts(log: SqliteShadowLog) -> None:
    async def say() -> None:
        await log.put(Comparison(1, Key("k", "u1"), 5, "both", ("a",)), ShadowHeard("tea", "", None, 9, agrees=True))
        await log.settle(1, Key("k", "u1"), "both", candidate=1.0, served=0.0)
        for by, name in (("candidate", "u2"), ("served", "u3")):
            await log.put(Comparison(1, Key("k", name), 5, by, (), judging.mark("tea")))  # type: ignore[arg-type]
            wrong = speech_pb2.FeedbackRequest(device_id="k", utterance_id=name, verdict=speech_pb2.VERDICT_WRONG)
            await log.give(wrong)

    asyncio.run(say())
    with closing(ShadowStore(log._file)) as store:
        errors = [(number, one.by, one.candidate.error, one.served.error) for number, _, one in store.settled(1, 0)]
        assert errors == [(1, "both", 0.0, 0.0), (2, "candidate", 1.0, None), (3, "served", None, 1.0)]
        assert [number for number, *_ in store.settled(1, 2)] == [3]
        assert [number for number, _ in store.known(1, 1)] == [2, 3]


def test_forgetting_reaches_the_shadow_and_its_figures_stay_nobodys(tmp_path: Path) -> None:
    with closing(ShadowStore(tmp_path / SHADOW_FILE_NAME)) as store:
        for device_id, at_unix_us in (("kitchen", 1), ("kitchen", 9), ("hall", 9)):
            one = Comparison(1, Key(device_id, f"u{at_unix_us}"), at_unix_us, "both", ("a",), judging.mark("secret"))
            store.put(one, ShadowHeard("a secret word", "", None, 9, agrees=False))
            store.settle(1, one.key, "both", candidate=1.0, served=0.0)
        forget_in_shadow(tmp_path, "kitchen", None, Span(since_unix_us=5))
        assert list(dict(store.heard())) == [Key("kitchen", "u1"), Key("hall", "u9")]
        assert store.forget(None, None, Span()) == 2
        assert store.scrub()
        assert list(store.heard()) == []
        assert [(one.key.device_id, one.candidate.error) for _, _, one in store.settled(1, 0)] == [("", 1.0)] * 3
    held = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"secret" not in held
    assert b"kitchen" not in held
    assert (tmp_path / SHADOW_FILE_NAME).stat().st_mode & 0o777 == 0o600
    forget_in_shadow(tmp_path / "of nobody", None, None, Span())


def test_what_is_forgotten_while_somebody_reads_is_overwritten_afterwards(log: SqliteShadowLog, tmp_path: Path) -> None:
    log._store._database.execute("PRAGMA busy_timeout = 0")

    def held() -> bytes:
        return b"".join(file.read_bytes() for file in tmp_path.glob(f"{SHADOW_FILE_NAME}*"))

    async def life() -> None:
        one = Comparison(1, Key("kitchen", "u1"), 5, "both", ("a",))
        await log.put(one, ShadowHeard("a secret word", "", None, 9, agrees=False))
        with closing(sqlite3.connect(log._file, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT COUNT(*) FROM heard").fetchone()
            await log.forget("kitchen", None, Span())
            await log.scrub()
            assert b"secret" in held()
        await log.scrub()
        assert b"secret" not in held()

    asyncio.run(life())


def test_what_is_too_old_or_too_much_goes(tmp_path: Path) -> None:
    with closing(ShadowStore(tmp_path / SHADOW_FILE_NAME)) as store:
        for at_unix_us in range(10):
            heard = ShadowHeard("tea", "", None, 9, agrees=False)
            store.put(Comparison(1, Key("k", f"u{at_unix_us}"), at_unix_us, "both", ()), heard)
        assert store.prune(3, heard_max=5) == 5
        assert [key.utterance_id for key, _ in store.heard()] == [f"u{number}" for number in range(5, 10)]


def test_while_a_canary_lasts_the_shadow_goes_on_and_may_return_the_candidate_but_not_promote_it(
    tmp_path: Path,
) -> None:
    with closing(ShadowStore(tmp_path / SHADOW_FILE_NAME)) as store:
        for rollout, errors in ((1, (1.0, 0.0)), (2, (0.0, 1.0))):
            for number in range(100):
                key = Key("k", f"u{number}")
                store.put(Comparison(rollout, key, number, "both", ("a",)))
                store.settle(rollout, key, "both", candidate=errors[0], served=errors[1])
        worse, better = (Trial(rollout, Rules()).read(store) for rollout in (1, 2))
        assert [worse.verdict("canary").decision, better.verdict("shadow").decision] == ["return", "promote"]
        assert "No board of the canary" in better.verdict("canary").why
        for trial in (worse, better):
            store.put(Comparison(trial.rollout, Key("k", "c"), 1, "candidate", ("a",), candidate=Answered(slow=0.0)))
            trial.read(store)
        assert [worse.verdict("canary").decision, better.verdict("canary").decision] == ["return", "go on"]


class Service:
    """What of a running service a candidate meets, on real files, with engines that only pretend."""

    def __init__(self, folder: Path, shop: ServedDomain) -> None:
        for name in ("tiny.en", "base", "broken"):
            (folder / "weights" / name).mkdir(parents=True, exist_ok=True)
        self.store = RolloutStore(folder / FILE_NAME)
        self.settings = CloudSettings(
            decoding=Decoding(whisper_model="tiny.en"),
            domains=Domains(serve=(str(shop.folder),)),
            storage=Storage(state_dir=folder, weights_dir=folder / "weights"),
        )
        self.live = [Engines(SPHINX, "en-us"), Engines(SPHINX)]
        self.domains = {"shop": shop}
        self.recogniser = Recogniser(cast(list[Pool], self.live), answer_s_max=5.0)

    def hears(self, changing: Changing, name: str, device_id: str = "kitchen") -> Way:
        """An utterance is answered."""
        way = changing.way(device_id, "shop")
        config = speech_pb2.UtteranceConfig(device_id=device_id, utterance_id=name)
        utterance = Utterance(config, DEFAULT_SPEC)
        utterance.hear(FRAMES)
        utterance.close(speech_pb2.UtteranceEnd())
        answer = speech_pb2.Final(transcript="a tea", decoding_ms=2000)
        changing.answered(way, utterance, answer)
        return way


@pytest.fixture
def service(tmp_path: Path, shop: ServedDomain, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setattr("cloud.changing.replacing.usable", lambda name, folder: folder / name)
    made = Service(tmp_path, shop)
    yield made
    made.store.close()


WHISPER, SHOP = Subject("model", "whisper"), Subject("domain", "shop")


def unix_us() -> int:
    return time.time_ns() // 1000


def lives(
    service: Service, do: Callable[[Changing], Coroutine[Any, Any, None]], now: Callable[[], int] = unix_us
) -> None:
    async def live() -> None:
        async with Changing(service.settings, service.recogniser, service.domains, now) as changing:
            await changing.look()
            hearing = asyncio.create_task(changing.shadow.run())
            try:
                async with asyncio.timeout(WAIT_S):
                    await do(changing)
            finally:
                hearing.cancel()
                await asyncio.gather(hearing, return_exceptions=True)

    asyncio.run(live())


def test_a_model_is_heard_at_nice_19_then_answers_its_boards_then_all_and_is_taken_back(service: Service) -> None:
    async def life(changing: Changing) -> None:
        assert service.hears(changing, "u0").recogniser is service.recogniser
        service.store.begin(WHISPER, "base", "base", who="ann", why="")
        await changing.look()
        shadows = [pool.made[0] for pool in service.live]
        assert [(pool.options["nice"], pool.options["size"]) for pool in shadows] == [(19, 1)] * 2
        assert Path(shadows[1].options["weights"]).name == "base"
        assert service.hears(changing, "u1").candidates == frozenset()
        await until(lambda: changing.shadow.counts["heard"] == 1)
        service.store.canary(WHISPER, 0.9, who="ann", why="", figures=[])
        await changing.look()
        ways = {board: service.hears(changing, "u2", board) for board in ("a", "b", "c", "d", "e", "f", "g", "h")}
        answered = [way for way in ways.values() if way.candidates]
        assert len(answered) > 4
        canary = service.live[1].made[-1]
        assert "nice" not in canary.options
        assert all(way.recogniser.pools == [service.live[0], canary] for way in answered)
        canary.is_waited_for = True
        shed = changing.shadow.counts["shed"]
        service.hears(changing, "u2", next(board for board, way in ways.items() if not way.candidates))
        assert changing.shadow.counts["shed"] > shed
        before = service.live[1]
        service.store.promote(WHISPER, who="ann", why="", figures=[])
        before.is_idle = False
        await changing.look()
        assert service.live[1] is canary
        await asyncio.sleep(0.1)
        # Somebody's utterance is still in it.
        assert not before.ended
        before.is_idle = True
        await until(lambda: before.ended and all(pool.ended for pool in shadows))
        assert not canary.ended
        assert service.hears(changing, "u3").candidates == frozenset()
        service.store.rollback(WHISPER, who="ann", why="")
        await changing.look()
        assert service.live[1].engine.model == "tiny.en"
        await until(lambda: canary.ended)

    lives(service, life)


def test_a_domain_is_tried_answers_is_promoted_and_what_served_before_serves_again(
    service: Service, shop: ServedDomain, tmp_path: Path
) -> None:
    next_one = menu(tmp_path / "next" / "shop", "tea", "cake")

    async def life(changing: Changing) -> None:
        service.store.begin(SHOP, str(next_one), "v2", who="ann", why="", share=0.9)
        await changing.look()
        ways = [service.hears(changing, "u1", board) for board in "abcdefgh"]
        assert {len(way.candidates) for way in ways} == {0, 1}
        assert {way.domain.entries for way in ways if way.candidates} == {2}
        assert {way.domain for way in ways if not way.candidates} == {shop.now}
        assert all(way.recogniser is service.recogniser for way in ways)
        service.store.promote(SHOP, who="ann", why="", figures=[])
        await changing.look()
        assert service.hears(changing, "u2").domain.entries == 2
        service.store.rollback(SHOP, who="ann", why="")
        await changing.look()
        assert service.hears(changing, "u3").domain is shop.now

    lives(service, life)


def test_what_is_built_stays_as_long_as_somebody_may_need_it(
    service: Service, shop: ServedDomain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Served, tried, to be gone back to, open here still, or what a worker began with."""
    monkeypatch.setattr("cloud.changing.running.PRUNE_S", 0.0)
    storage = service.settings.storage
    built: dict[str, str] = {}

    def begin(drink: str) -> None:
        domain = load_domain(str(copied(load_domain(str(menu(tmp_path / drink / "shop", drink))), tmp_path / "copies")))
        with ServedDomain(str(domain.folder), storage) as served:
            built[drink] = served.now.bundle_file.stem
        service.store.begin(SHOP, str(domain.folder), domain.version, who="ann", why="")

    def promote(drink: str) -> None:
        begin(drink)
        service.store.promote(SHOP, who="ann", why="", figures=[])

    def there() -> set[str]:
        bundles, indexes = (
            {path.stem for path in folder.iterdir()} for folder in (storage.bundle_dir, storage.index_dir)
        )
        assert bundles == indexes
        return bundles

    async def nothing(changing: Changing) -> None: ...

    def two_days_on() -> int:
        return unix_us() + 2 * DAY_US

    promote("below")
    promote("served")
    begin("returned")
    service.store.rollback(SHOP, who="ann", why="")
    begin("tried")
    for name in ("shop-of-a-worker", "shop-older"):
        (storage.bundle_dir / f"{name}.bundle").touch()
        (storage.index_dir / f"{name}.sqlite").touch()
    service.live[0].bundles = (str(storage.bundle_dir / "shop-of-a-worker.bundle"),)
    everything = {shop.now.bundle_file.stem, "shop-of-a-worker", "shop-older", *built.values()}
    lives(service, nothing)
    # Somebody may be about to need it.
    assert there() == everything
    lives(service, nothing, two_days_on)
    assert there() == everything - {"shop-older", built["returned"]}

    async def taken_back(changing: Changing) -> None:
        service.store.rollback(SHOP, who="ann", why="")
        await changing.look()
        # It serves again at once if it comes again.
        assert built["tried"] in there()

    lives(service, taken_back, two_days_on)
    service.live[0].bundles = ()
    lives(service, nothing, two_days_on)
    assert there() == {shop.now.bundle_file.stem, built["below"], built["served"]}


def test_a_canary_that_breaks_its_guard_is_returned_by_itself(service: Service) -> None:
    async def life(changing: Changing) -> None:
        number = service.store.begin(WHISPER, "base", "base", who="ann", why="", share=0.5).number
        await changing.look()
        # As late as can be, all of them, and those of the others at once.
        for at in range(120):
            by_candidate = at % 2 == 0
            known = Answered(slow=float(by_candidate), rejected=0.0)
            one = Comparison(number, Key("k", f"u{at}"), at, "candidate" if by_candidate else "served", ())
            part = Comparison(*[getattr(one, name) for name in one.__struct_fields__[:6]], known, known)
            await changing.log.put(part)
        await changing.look()
        assert service.store.all_active() == []
        assert service.hears(changing, "u9").candidates == frozenset()

    lives(service, life)
    last = service.store.history()[-1]
    assert (last.who, last.action, last.after) == ("the service", "return", "returned")
    assert "slow" in last.why
    assert "slow" in last.figures


def test_a_candidate_that_is_not_open_yet_answers_nobody(
    service: Service, shop: ServedDomain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    next_one = menu(tmp_path / "next" / "shop", "tea", "cake")

    async def life(changing: Changing) -> None:
        opened, may_open = changing._replacing.domain, asyncio.Event()

        async def slowly(entry: str) -> ServedDomain:
            await may_open.wait()
            return await opened(entry)

        monkeypatch.setattr(changing._replacing, "domain", slowly)
        service.store.begin(SHOP, str(next_one), "v2", who="ann", why="", share=0.9)
        looking = asyncio.create_task(changing._try(service.store.all_active()[0]))
        await asyncio.sleep(0)
        assert all(not service.hears(changing, "u1", board).candidates for board in "abcdefgh")
        may_open.set()
        await looking
        assert any(service.hears(changing, "u2", board).candidates for board in "abcdefgh")

    lives(service, life)


def test_boards_of_a_canary_without_workers_are_answered_by_what_serves_and_it_is_returned(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def life(changing: Changing) -> None:
        service.store.begin(WHISPER, "base", "base", who="ann", why="", share=0.9)
        await changing.look()
        canary = service.live[1].made[-1]
        board = next(board for board in "abcdefgh" if service.hears(changing, "u1", board).candidates)
        canary.pids = []
        assert service.hears(changing, "u2", board).recogniser is service.recogniser
        await changing.look()
        canary.pids = [2]
        # They were replaced in time, and how long they were missing is counted anew.
        await changing.look()
        assert service.hears(changing, "u3", board).candidates
        monkeypatch.setattr("cloud.changing.open_candidate.WITHOUT_WORKERS_S_MAX", 0.0)
        canary.pids = []
        await changing.look()
        assert len(service.store.all_active()) == 1
        await changing.look()
        assert service.store.all_active() == []
        await until(lambda: canary.ended)

    lives(service, life)
    assert service.store.history()[-1].why == "It cannot be used here. No worker of whisper has lived for 0 s."


def test_one_that_is_let_go_while_another_is_promoted_is_not_judged_any_more(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    next_one = menu(tmp_path / "next" / "shop", "tea", "cake")

    async def life(changing: Changing) -> None:
        model = service.store.begin(WHISPER, "base", "base", who="ann", why="", automatic=True).number
        domain = service.store.begin(SHOP, str(next_one), "v2", who="ann", why="").number
        await changing.look()
        for at in range(300):
            key = Key("k", f"u{at}")
            for number, errors in ((model, (0.0, float(at % 4 == 0))), (domain, (1.0, 0.0))):
                await changing.log.put(Comparison(number, key, at, "both", ()))
                await changing.log.settle(number, key, "both", candidate=errors[0], served=errors[1])
        # It is noticed only when the other one was promoted.
        monkeypatch.setattr(changing._store, "version", lambda: changing._seen)
        service.store.rollback(SHOP, who="ann", why="no")
        await changing.look()
        assert [service.live[1].engine.model, changing._open] == ["base", {}]

    lives(service, life)


def test_one_that_nobody_has_to_promote_is_promoted(service: Service) -> None:
    async def life(changing: Changing) -> None:
        number = service.store.begin(WHISPER, "base", "base", who="ann", why="", automatic=True).number
        await changing.look()
        for at in range(300):
            key = Key("k", f"u{at}")
            await changing.log.put(Comparison(number, key, at, "both", ()))
            await changing.log.settle(number, key, "both", candidate=0.0, served=float(at % 4 == 0))
        await changing.look()
        assert service.live[1].engine.model == "base"

    lives(service, life)
    assert [step.action for step in service.store.history()] == ["shadow", "promote"]


def test_a_candidate_that_cannot_be_used_here_is_returned_with_the_reason(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    async def life(changing: Changing) -> None:
        service.store.begin(WHISPER, "broken", "broken", who="ann", why="")
        service.store.begin(SHOP, "/not/there/shop", "v2", who="ann", why="")
        with caplog.at_level(logging.WARNING):
            await changing.look()
        service.hears(changing, "u1")

    lives(service, life)
    assert service.store.all_active() == []
    whys = [step.why for step in service.store.history() if step.action == "return"]
    assert whys[0] == "It cannot be used here. They are broken."
    assert "/not/there/shop" in whys[1]


def test_what_was_promoted_and_is_gone_leaves_what_serves(
    service: Service, shop: ServedDomain, caplog: pytest.LogCaptureFixture
) -> None:
    service.store.begin(SHOP, "/not/there/shop", "v2", who="ann", why="")
    service.store.promote(SHOP, who="ann", why="", figures=[])

    async def life(changing: Changing) -> None:
        assert changing.way("kitchen", "shop").domain is shop.now

    lives(service, life)
    assert f"version {shop.now.version} serves on" in caplog.text


def test_answers_that_people_wait_for_and_forget_are_told_to_both_logs(service: Service, tmp_path: Path) -> None:
    key = Key("kitchen", "u1")

    async def life(changing: Changing) -> None:
        number = service.store.begin(WHISPER, "base", "base", who="ann", why="").number
        await changing.look()
        with SqliteAnswerLog(tmp_path / "answers.db") as own:
            told = changing.told(own)
            await told.put(key, speech_pb2.Final(transcript="a tea"))
            service.hears(changing, "u1")
            await until(lambda: changing.shadow.counts["heard"] == 1)
            await until(lambda: bool(tried(changing.log)))
            right = speech_pb2.FeedbackRequest(
                device_id="kitchen", utterance_id="u1", feedback_id="f", verdict=speech_pb2.VERDICT_RIGHT
            )
            await told.give(right)
            known = await changing.log.read(lambda store: list(store.settled(number, 0)))
            assert len(known) == 1
            assert await told.forget("kitchen", None, Span()) == 1
            assert (await told.get(key), tried(changing.log)) == (None, {})

    lives(service, life)
