"""The profile for a service on the board itself."""

from pathlib import Path

from cloud.settings import ENVIRONMENT_PREFIX, CloudSettings
from cloud.workers.machine import sphinx_workers, streams_max, whisper_workers
from common.settings import load

PROFILE = Path(__file__).parent.parent / "systemd" / "cloud-on-board.toml"


def test_it_is_small_whatever_the_machine() -> None:
    settings = load(CloudSettings, file=PROFILE, environment_prefix=ENVIRONMENT_PREFIX, options={}).settings
    assert (sphinx_workers(settings), whisper_workers(settings), streams_max(settings)) == (1, 1, 2)
    assert settings.server.listen.startswith("127.0.0.1:")


def test_without_a_word_from_the_owner_the_machine_decides() -> None:
    settings = CloudSettings()
    workers = sphinx_workers(settings)
    assert workers >= 1
    assert whisper_workers(settings) == max(1, workers // 2)
    assert streams_max(settings) >= workers
