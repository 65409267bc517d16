"""A service whose Whisper is there and of no use: it says so, and serves by pocketsphinx."""

import asyncio
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
import pytest

from benchmarks import path
from cloud import server
from cloud.decoders.weights import usable
from cloud.settings import CloudSettings, Decoding
from cloud.workers.worker import WorkerOptions
from cloud.workers.worker_process import WorkerProcess
from common.errors import EngineError
from protos import speech_pb2, speech_pb2_grpc
from tests.conftest import Built, Speech

WITHOUT_NEW_CODE = """#!{0}
import ctypes, os, sys
PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1
if ctypes.CDLL(None).prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0):
    sys.exit("this kernel has no PR_SET_MDWE")
os.execv("{0}", ["{0}", *sys.argv[1:]])
"""
"""Python in which no memory becomes code, nor in what it starts, as MemoryDenyWriteExecute= of a unit has it."""


def test_with_weights_that_cannot_be_loaded_it_serves_by_pocketsphinx_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server, "usable", lambda name, folder: tmp_path)

    async def run() -> None:
        async with AsyncExitStack() as stack:
            settings = CloudSettings(decoding=Decoding(workers=1))
            (pool,) = await server._open_pools(settings, {}, stack)
            assert pool.engine.engine == "pocketsphinx"
            assert pool._options.alone

    asyncio.run(run())
    (line,) = [record.getMessage() for record in caplog.records if record.name == "cloud.server"]
    assert line.startswith(
        f"serving by pocketsphinx alone. {tmp_path} holds no Whisper weights that can be loaded on cpu as int8: "
    )


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Whisper's real weights, where no program that is started from now on may make code. Skips where there are none,
    or the kernel is too old."""
    try:
        folder = usable("tiny.en", CloudSettings().storage.weights_dir)
    except EngineError as error:
        pytest.skip(str(error))
    wrapper = tmp_path / "python"
    wrapper.write_text(WITHOUT_NEW_CODE.format(sys.executable))
    wrapper.chmod(0o755)
    tried = subprocess.run([wrapper, "-c", ""], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(tried.stderr.strip())
    monkeypatch.setattr(sys, "executable", str(wrapper))
    return folder


def test_a_whisper_that_loads_and_cannot_compute_is_told_and_the_service_is_there_without_it(
    tmp_path: Path, weights: Path, built: Built
) -> None:
    options = WorkerOptions("whisper", weights=str(weights))
    told = "Whisper \\(tiny.en\\) is loaded, and cannot read on this machine: could not create a primitive."
    with pytest.raises(EngineError, match=told):
        asyncio.run(WorkerProcess.start(options, ready_s_max=60.0, wedged_s=20.0))
    with path.service(
        built(tmp_path / "state"), storage_weights_dir=str(weights.parent), decoding_workers="1"
    ) as service:
        with grpc.insecure_channel(service.address) as channel:
            described = speech_pb2_grpc.SpeechStub(channel).Describe(speech_pb2.DescribeRequest(), timeout=60)
    assert [engine.name for engine in described.engines] == ["pocketsphinx"]


def test_without_the_gpu_that_is_set_whisper_goes_on_by_the_processor(caplog: pytest.LogCaptureFixture) -> None:
    try:
        usable("tiny.en", CloudSettings().storage.weights_dir)
    except EngineError as error:
        pytest.skip(str(error))
    decoding = Decoding(workers=1, whisper_workers=1, whisper_device="cuda", whisper_compute="float16")

    async def run() -> None:
        async with AsyncExitStack() as stack:
            pools = await server._open_pools(CloudSettings(decoding=decoding), {}, stack)
            assert [pool.engine.engine for pool in pools] == ["pocketsphinx", "whisper"]

    asyncio.run(run())
    (line,) = [record.getMessage() for record in caplog.records if record.name == "cloud.server"]
    assert line.startswith("Whisper goes on by the processor, as int8. ")
    assert "on cuda as float16" in line


def test_a_third_engine_is_a_file_that_the_settings_name(speech: Speech, tmp_path: Path, built: Built) -> None:
    file = speech.path("timer")
    settings = {"decoding_whisper": "false", "decoding_more_engines": "tests.loudness_engine"}
    with path.service(built(tmp_path), **settings) as service:
        with grpc.insecure_channel(service.address) as channel:
            described = speech_pb2_grpc.SpeechStub(channel).Describe(speech_pb2.DescribeRequest(), timeout=60)
        (answer,) = path.hear(service.address, [file])[file]
    assert {engine.name: engine.model for engine in described.engines}["loudness"] == "one threshold"
    # Without Whisper nobody says whose words count; both are told.
    told = {one["engine"]: one["transcript"] for one in (answer, *answer["alternatives"])}
    assert told["loudness"] == "hey"
    assert "timer for ten minutes" in told["pocketsphinx"]


def test_a_third_engine_that_is_not_there_costs_a_sentence(caplog: pytest.LogCaptureFixture) -> None:
    decoding = Decoding(workers=1, whisper=False, more_engines=("tests.nowhere", "tests.conftest"))

    async def run() -> None:
        async with AsyncExitStack() as stack:
            (pool,) = await server._open_pools(CloudSettings(decoding=decoding), {}, stack)
            assert pool.engine.engine == "pocketsphinx"

    asyncio.run(run())
    told = [record.getMessage() for record in caplog.records if record.name == "cloud.server"]
    assert [line.split(". ")[0] for line in told] == ["serving without tests.conftest", "serving without tests.nowhere"]
    assert all("a module with a function load: " in line for line in told)
