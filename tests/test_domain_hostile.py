"""Folders that were made to break a service: each is refused with a sentence, soon, and with little memory."""

# ruff: noqa: E501 - a folder a line

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from cloud.building.domain import load_domain
from cloud.building.folder import find_folder
from common.errors import DomainError

LIMIT_S = 10
LIMIT_BYTES = 1500 << 20
"""Of address space; Python with numpy takes a third of it."""

TEA = b'{"id": "tea", "title": "Tea", "aliases": ["Hot tea"]}\n'


def commands(*sentences: str, rules: str = "", lists: str = "") -> bytes:
    written = "".join(f"          - {json.dumps(sentence)}\n" for sentence in sentences)
    text = f"intents:\n  a:\n    data:\n      - sentences:\n{written}expansion_rules:\n  x: y\n{rules}lists:\n  n: {{values: [b]}}\n"
    return (text + lists).encode()


def put(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(content)


def link(name: str, to: str) -> Callable[[Path], object]:
    def make(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(to)

    return make


def pipe(name: str) -> Callable[[Path], object]:
    def make(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name)

    return make


def sparse(name: str, size: int) -> Callable[[Path], object]:
    def make(folder: Path) -> None:
        with (folder / name).open("wb") as file:
            file.truncate(size)

    return make


DOUBLED = "".join(f"  r{n}: '<r{n + 1}> <r{n + 1}>'\n" for n in range(20)) + "  r20: go\n"
CHOSEN = "".join(f"  r{n}: '(<r{n + 1}>|<r{n + 1}> {n})'\n" for n in range(14)) + "  r14: go\n"
CHAIN = "".join(f"  r{n}: '<r{n + 1}>'\n" for n in range(3000))
BOMB = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(9)
)

HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "letters in two ways each": (put("commands.yaml", commands("[a][b][c][d][e]" * 60 + "f")), "too many ways"),
    "choices without a space": (put("commands.yaml", commands("(a|b|c|d)" * 200)), "too many ways"),
    "many such templates": (put("commands.yaml", commands(*[f"{n} " + "(a|b)" * 10 for n in range(300)])), "is one template too many"),
    "a million ways": (put("commands.yaml", commands("<r0>", rules=DOUBLED)), "stands for too much"),
    "a chain of rules": (put("commands.yaml", commands("<r0>", rules=CHAIN + "  r3000: go\n")), "more than 24 rules"),
    "a circle of rules": (put("commands.yaml", commands("<r0>", rules=CHAIN + "  r3000: <r0>\n")), "go round in a circle"),
    "rules that grow": (put("commands.yaml", commands(*["<r0>"] * 40, rules=CHOSEN)), "too many ways"),
    "any order within any order": (
        put("commands.yaml", commands("(" * 5 + "a" + ";b;c;d;e;f)" * 5 + "")), "stands for too much",
    ),
    "brackets without end": (put("commands.yaml", commands("(" * 4999)), "nested deeper"),
    "a long template": (put("commands.yaml", commands("a " * 100_000)), "5,000 are the most"),
    "many long templates": (put("commands.yaml", commands(*["(a|b) " * 800] * 400)), "400,000 are the most"),
    "a text bomb": (put("commands.yaml", BOMB), "anchors"),
    "lists within lists": (put("commands.yaml", b"a: " + b"[" * 500), "nested deeper"),
    "lists within lists without end": (put("commands.yaml", b"a: " + b"[" * 5_000_000), "not YAML: exceeded maximum nest"),
    "maps within maps": (put("commands.yaml", b"\n".join(b" " * n + b"a:" for n in range(3000))), "nested deeper"),
    "a million words": (put("commands.yaml", b"- a\n" * 3_000_000), "no more are read"),
    "a million lists": (put("commands.yaml", b"[]," * 3_000_000), "not YAML"),
    "a million values": (put("commands.yaml", b"lists:\n  a:\n    values:\n" + b"    - a\n" * 590_000), "must have a key intents"),
    "long ranges": (
        put("commands.yaml", commands("{m}", lists="  m: {range: {from: 1, to: 999999999999999}}\n")), "can be listened for",
    ),
    "many long ranges": (
        put("commands.yaml", commands(*[f"{{1..{9000 + n}:a{n}}} {n}" for n in range(60)])), "too many sentences",
    ),
    "a huge file": (sparse("commands.yaml", 200 << 30), "is the most"),
    "a huge catalogue": (sparse("catalogue.jsonl", 200 << 30), "is the most"),
    "a huge lexicon": (sparse("lexicon.txt", 200 << 30), "is the most"),
    "a huge line": (put("catalogue.jsonl", TEA + b'{"id": "x", "title": "' + b"x" * (100 << 20) + b'"}'), "200,000 are the most"),
    "a huge line of a lexicon": (put("lexicon.txt", b"a = " + b"b" * (7 << 20)), "lexicon.txt:1: "),
    "lines without end": (put("catalogue.jsonl", b"{\n" * (5 << 20)), "nobody reads on"),
    "objects within objects": (put("catalogue.jsonl", b'{"a":' * 30_000 + b"\n"), "not JSON"),
    "zeros": (put("catalogue.jsonl", bytes(1 << 20)), "200,000 are the most"),
    "zeros as commands": (put("commands.yaml", bytes(1 << 20)), "U+0000"),
    "no text": (put("commands.yaml", bytes(range(256)) * 4000), "not UTF-8"),
    "colours of a terminal": (put("commands.yaml", b"intents: \x1b[31mred"), "U+001B"),
    "a link out of the folder": (link("commands.yaml", "/etc/passwd"), "leads out of the folder"),
    "a link to nothing": (link("commands.yaml", "nowhere"), "cannot be read"),
    "a link to itself": (link("lexicon.txt", "lexicon.txt"), ""),
    "a link to a device": (link("catalogue.jsonl", "/dev/zero"), "leads out of the folder"),
    "a pipe": (pipe("commands.yaml"), "is no file"),
    "a pipe for a catalogue": (pipe("catalogue.jsonl"), "is no file"),
    "a folder for a file": (lambda folder: (folder / "lexicon.txt").mkdir(), "is no file"),
}  # fmt: skip


class Refused(NamedTuple):
    """What was said of a folder, and the CPU that it took."""

    told: list[str]
    cpu_s: float


_CHECKS = """
import json, resource, sys, time
from pathlib import Path
from cloud.building.checks.folder import check_domain
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
for folder in sys.argv[2:]:
    began_s = time.process_time()
    faults = check_domain(Path(folder)).faults
    print(json.dumps([list(map(str, faults.faults)), time.process_time() - began_s]), flush=True)
"""


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Refused]:
    """All of them, one after the other, by one process that has little memory: to start one for each takes longer."""
    folders = []
    for number, (make, _) in enumerate(HOSTILE.values()):
        folders.append(tmp_path_factory.mktemp("hostile") / f"shop{number}")
        folders[-1].mkdir()
        (folders[-1] / "catalogue.jsonl").write_bytes(TEA)
        make(folders[-1])
    command = [sys.executable, "-c", _CHECKS, str(LIMIT_BYTES), *map(str, folders)]
    # Others may be at work: the CPU's time is what is counted.
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(zip(HOSTILE, (Refused(*json.loads(line)) for line in done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("name", HOSTILE)
def test_what_was_made_to_break_it_is_refused_with_a_sentence(refused: dict[str, Refused], name: str) -> None:
    told, cpu_s = refused[name]
    assert any(HOSTILE[name][1] in one for one in told), told[:10]
    assert all(re.match(r"/\S*/shop\d+/[a-z.]+(:\d+)?: ", one) and len(one) < 1000 for one in told)
    assert cpu_s < LIMIT_S


def test_the_command_says_so_and_ends_with_2(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    sparse("catalogue.jsonl", 200 << 30)(folder)
    command = [sys.executable, "-m", "cloud", "domain", "check", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        f"{folder / 'catalogue.jsonl'}: has 204800 MiB, but 128 MiB is the most.",
        "1 fault, no warnings",
    ]


def test_who_builds_for_a_service_refuses_it_too(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "catalogue.jsonl").write_bytes(TEA)
    pipe("commands.yaml")(folder)
    command = [
        sys.executable,
        "-m",
        "cloud.building",
        str(folder),
        str(tmp_path / "bundles"),
        str(tmp_path / "indexes"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (
        2,
        f"{folder / 'commands.yaml'}: is no file, but a folder, a pipe or a device.\n",
    )
    assert not list(tmp_path.glob("bundles/*"))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a\0b",
        "x" * 10_000,
        "/".join(["x" * 200] * 50),
        "~nobody-of-that-name/shop",
        "/dev/null/x",
        "/nowhere/of/that/name",
        "\n",
        "?",
        "-",
    ],
)
def test_a_name_of_no_folder_gets_a_sentence(name: str) -> None:
    with pytest.raises(DomainError, match="neither a shipped domain nor a folder") as caught:
        find_folder(name)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("name", ["coffee/..", "coffee/../../etc", "../coffee", "/", "/dev/zero", "."])
def test_dots_lead_to_a_folder_or_to_a_sentence(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path is what it says; the name of what is shipped leads nowhere else."""
    here = tmp_path / "not a domain"
    here.mkdir()
    monkeypatch.chdir(here)
    with pytest.raises(DomainError):
        find_folder(name)


def test_a_link_within_the_folder_is_a_file_of_it(tmp_path: Path) -> None:
    """As those who mount settings have it."""
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "catalogue.jsonl").write_bytes(TEA)
    (tmp_path / "catalogue.jsonl").symlink_to("..data/catalogue.jsonl")
    assert load_domain(str(tmp_path)).entries[0].id == "tea"


def test_what_a_terminal_would_obey_is_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "catalogue.jsonl").write_bytes(TEA)
    (tmp_path / "commands.yaml").write_text('intents: {}\n"a\\e[31mb": 5\n')
    with pytest.raises(DomainError) as caught:
        load_domain(str(tmp_path))
    assert "\x1b" not in str(caught.value)
    assert '"a\N{REPLACEMENT CHARACTER}[31mb"' in str(caught.value)
