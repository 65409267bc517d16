"""A domain that changes while it is served."""

import asyncio
import contextlib
import gc
import logging
from pathlib import Path

import pytest

from cloud.decoders import Hypothesis
from cloud.finding.served_domain import DomainVersion, ServedDomain
from cloud.settings import Storage

TEA = '{"id": "tea", "title": "Tea"}\n'


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "catalogue.jsonl").write_text(TEA)
    return folder


def served(folder: Path) -> ServedDomain:
    return ServedDomain(str(folder), Storage(state_dir=folder.parent / "state"))


async def found(version: DomainVersion, query: str) -> list[str]:
    heard, _ = await version.find(Hypothesis("text", "typed", query), 5, explain=False)
    return [hit.id for hit in heard]


async def ended(following: "asyncio.Task[None]") -> None:
    """Waits for the process that may be building: a loop that ends meanwhile cancels twice, and leaves it."""
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following


def test_a_new_version_is_swapped_in_whole_and_who_has_the_old_one_goes_on_with_it(shop: Path) -> None:
    async def change() -> None:
        with served(shop) as domain:
            before = domain.now
            assert not before.bundle.has_commands
            following = asyncio.create_task(domain.follow(look_s=0.01))
            (shop / "catalogue.jsonl").write_text(TEA + '{"id": "cake", "title": "Cake"}\n')
            async with asyncio.timeout(60):
                while domain.now is before or not domain.now.bundle.has_commands:
                    (shop / "commands.yaml").write_text('intents: {order: {data: [{sentences: ["a tea"]}]}}')
                    await asyncio.sleep(0.02)
            await ended(following)
            assert await found(domain.now, "cake") == ["cake"]
            assert await found(before, "cake") == []
            assert await found(before, "tea") == ["tea"]
            assert before.bundle_file.is_file()
            held = {before.version, domain.now.version}
            assert held <= {version.version for version in domain.versions}
            del before
            gc.collect()
            assert [version.version for version in domain.versions] == [domain.now.version]

    asyncio.run(change())


def test_a_broken_one_is_told_and_the_old_one_is_served_on(shop: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def break_it() -> None:
        with served(shop) as domain, caplog.at_level(logging.ERROR):
            before = domain.now
            following = asyncio.create_task(domain.follow(look_s=0.01))
            (shop / "catalogue.jsonl").write_text("no JSON\n")
            async with asyncio.timeout(60):
                while not caplog.records:
                    await asyncio.sleep(0.02)
            await ended(following)
            assert domain.now is before
            assert f"version {before.version} is served on. {shop}/catalogue.jsonl:1: not JSON" in caplog.text

    asyncio.run(break_it())


def test_equal_folders_are_one_version_and_are_built_once(shop: Path) -> None:
    with served(shop) as first:
        built = first.now.bundle_file.stat().st_ino
        with served(shop) as second:
            assert second.now.version == first.now.version
            assert second.now.bundle_file.stat().st_ino == built


def test_a_damaged_bundle_is_built_anew(shop: Path) -> None:
    with served(shop) as first:
        file = first.now.bundle_file
    file.write_bytes(file.read_bytes()[:-5])
    with served(shop) as second:
        assert second.now.bundle.domain == "shop"
