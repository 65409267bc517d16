"""A domain's next version in a real service: in the shadow, before its boards, promoted, taken back, forgotten."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import grpc
import pytest

from benchmarks import path
from cloud.changing.canary import is_chosen
from cloud.changing.gate import Rules
from cloud.changing.operations import Operations
from cloud.changing.rollout import Subject
from cloud.changing.shadow_store import FILE_NAME, ShadowStore
from cloud.log.answer_log import FILE_NAME as LOG_FILE_NAME
from cloud.log.reader import LogReader
from cloud.log.wanted import Wanted
from cloud.settings import CloudSettings, Domains, Storage
from protos import speech_pb2, speech_pb2_grpc
from tests.test_service import END, config, frames, levels, spoken

SHOP = Subject("domain", "shop")
WAIT_S = 60.0


def menu(folder: Path, *lines: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "catalogue.jsonl").write_text("".join(f'{{"id": "{line}", "title": "{line}"}}\n' for line in lines))
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> CloudSettings:
    own = menu(tmp_path / "shop", "weather")
    return CloudSettings(domains=Domains(serve=(str(own),)), storage=Storage(state_dir=tmp_path / "state"))


@pytest.fixture
def stub(settings: CloudSettings) -> Iterator[speech_pb2_grpc.SpeechStub]:
    with (
        path.service(
            settings.storage.state_dir,
            decoding_whisper="false",
            decoding_workers="1",
            domains_serve=settings.domains.serve[0],
        ) as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        yield speech_pb2_grpc.SpeechStub(channel)


def until(true: Callable[[], bool]) -> None:
    until_s = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < until_s
        time.sleep(0.05)


def test_a_domain_s_way(tmp_path: Path, settings: CloudSettings, stub: speech_pb2_grpc.SpeechStub) -> None:
    owner = Operations(settings, "ann")
    said = levels(spoken("weather"))
    count = 0

    def answer(board: str = "kitchen") -> speech_pb2.Final:
        nonlocal count
        count += 1
        asked = [config(f"u{count}", device_id=board), *frames(said), END]
        return list(stub.Recognize(iter(asked), timeout=WAIT_S))[-1].final

    def entries() -> int:
        return int(stub.Describe(speech_pb2.DescribeRequest(), timeout=WAIT_S).domains[0].entries)

    assert answer().domain.entries == entries() == 1
    next_one = menu(tmp_path / "next" / "shop", "weather", "rain")
    owner.begin_domain(str(next_one), 0.0, "rain", Rules(), automatic=False)
    shadow = settings.storage.state_dir / FILE_NAME

    def heard() -> list[str]:
        with closing(ShadowStore(shadow)) as store:
            return [one.transcript for _, one in store.heard()]

    until(lambda: answer().domain.entries == 1 and bool(heard()))
    assert "weather" in heard()[0]

    def agreements() -> set[bool | None]:
        with closing(LogReader(settings.storage.state_dir / LOG_FILE_NAME)) as reader:
            return {one.facts.shadow_agrees for one in reader.newest(Wanted(), count)}

    until(lambda: agreements() > {None})
    owner.canary(SHOP, 0.5, "half of them", automatic=False)
    boards = {is_chosen(board, 1, 0.5): board for board in ("hall", "attic", "shed", "porch", "den", "bath", "loft")}
    until(lambda: answer(boards[True]).domain.entries == 2)
    assert answer(boards[False]).domain.entries == 1
    owner.promote(SHOP, "good", anyway=True)
    until(lambda: entries() == 2)
    owner.rollback(SHOP, "no")
    until(lambda: entries() == 1)
    stub.Forget(speech_pb2.ForgetRequest(device_id="kitchen", everything=speech_pb2.Everything()), timeout=WAIT_S)
    with closing(ShadowStore(shadow)) as store:
        assert "kitchen" not in {key.device_id for key, _ in store.heard()}
    tried = owner.told("domain", 0.05)[0]
    assert tried.serving is tried.tried is None
