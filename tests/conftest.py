"""What several test files share: the committed speech, and an environment that is nobody's own."""

import csv
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from benchmarks.virtual_microphone import VirtualMicrophone, plugged_in, why_not
from cloud.building.build import build_bundle
from cloud.building.domain import load_domain
from cloud.finding.index import build
from cloud.settings import Storage

# How fast a crowded machine draws examples says nothing of ours.
hypothesis.settings.register_profile(
    "crowded", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], print_blob=True
)
hypothesis.settings.load_profile("crowded")

SPEECH_FOLDER = Path(__file__).parent / "speech"
LONG_FILES = frozenset(
    f"test_{name}.py"
    for name in (
        "ablation",
        "board_models",
        "crowded",
        "doubts",
        "operating_in_browser",
        "own_commands",
        "page_in_browser",
        "page_microphone_in_browser",
        "retraining",
        "service",
        "story",
        "training",
        "whole_path",
        "wyoming_home",
        "wyoming_whole",
    )
)
"""Begun first, so that of several processes none is at such a one alone in the end."""

Built = Callable[[Path], Path]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONG_FILES)


class Speech:
    """The synthesised speech of tests/speech: where a file lies, and what is said in it."""

    def __init__(self) -> None:
        with (SPEECH_FOLDER / "sentences.tsv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
        self.sentences: dict[str, list[str]] = {name: sentences for name, *sentences in rows}
        """By name, as they are spoken."""

    def path(self, name: str) -> Path:
        """The file of that name."""
        return next(path for path in SPEECH_FOLDER.glob(f"{name}.*") if path.suffix in {".flac", ".ogg"})


@pytest.fixture(scope="session")
def speech() -> Speech:
    return Speech()


@pytest.fixture(scope="session", autouse=True)
def environment_of_nobody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Settings of whoever runs the tests do not reach them, and services started here leave nothing behind."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PARROTLET_")]:
            patch.delenv(name)
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        # Root may write to the system's.
        patch.setenv("PARROTLET_EDGE_DEVICE_STATE_DIR", str(tmp_path_factory.mktemp("board")))
        # What answers without a service is tried where it is meant.
        patch.setenv("PARROTLET_EDGE_LOCAL_MODEL", "")
        yield


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Gives a state directory, which it returns, what a service builds of the domains that are shipped: for seconds,
    and here once for all."""
    kept = Storage(state_dir=tmp_path_factory.mktemp("built"))
    for name in ("coffee", "home"):
        domain = load_domain(name)
        build_bundle(domain, kept.bundle_dir)
        build(domain, kept.index_dir)

    def into(state_dir: Path) -> Path:
        return Path(shutil.copytree(kept.state_dir, state_dir, dirs_exist_ok=True))

    return into


@pytest.fixture
def usual_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The board's own model is the one of a board that was told nothing."""
    monkeypatch.delenv("PARROTLET_EDGE_LOCAL_MODEL")


@pytest.fixture(scope="session", autouse=True)
def interrupts_that_reach_children() -> None:
    """A shell starts what it runs in the background with Ctrl-C ignored, and programs inherit that."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def virtual_microphone() -> Iterator[VirtualMicrophone]:
    """A microphone that is plugged in. Skips where there can be none."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    with plugged_in() as microphone:
        yield microphone
