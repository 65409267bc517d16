"""Faults of a domain's files, each of them told by its line and in a sentence that says what to do."""

# ruff: noqa: E501 - a fault a line

from pathlib import Path
from textwrap import dedent

import pytest

from cloud.building.build import make_bundle
from cloud.building.checks.folder import check_domain
from cloud.building.domain import load_domain
from cloud.building.fault import ALIKE_MAX, KEPT_MAX, TOLD_MAX, Fault
from common.errors import DomainError

CATALOGUE = '{"id": "tea", "title": "Tea", "aliases": ["Hot tea"], "tags": ["drink"]}\n'

COMMANDS = """\
intents:
  order:
    data:
      - sentences: ["order {drink} [{amount}]"]
lists:
  drink: {catalogue: drink}
  amount: {range: {from: 1, to: 3}}
"""


def block(keys: str) -> str:
    """A commands.yaml with one block that is sound but for these keys."""
    return COMMANDS.replace('      - sentences: ["order {drink} [{amount}]"]\n', keys)


def templates(sentence: str) -> str:
    return block(f"      - sentences:\n          - order {{drink}} [{{amount}}]\n          - {sentence} <--\n")


def values(*lines: str) -> str:
    listed = "".join(f"      - {line}\n" for line in lines)
    return COMMANDS.replace("  drink: {catalogue: drink}\n", f"  drink:\n    values:\n{listed}")


def entry(line: str) -> str:
    return f"{CATALOGUE}{line} <--\n"


# The faulty line ends with an arrow, which is not in the file.
CATALOGUE_FAULTS = {
    "not JSON": (entry('{"id": "x", "title": '), "not JSON: "),
    "no object": (entry("[]"), "must be an object"),
    "a key unknown": (entry('{"id": "x", "title": "X", "alias": []}'), "Did you mean aliases?"),
    "a key missing": (entry('{"id": "x"}'), "the key title is missing"),
    "a wrong type": (entry('{"id": "x", "title": 5}'), "title: expected `str`"),
    "a wrong id": (entry('{"id": "X y", "title": "X"}'), "id: expected `str` matching"),
    "an id and a line's end": (entry('{"id": "x\\n", "title": "X"}'), "id: expected `str` matching"),
    "a name of nothing": (entry('{"id": "x", "title": "X", "aliases": [" "]}'), "has neither letters nor digits"),
    "two ids": (entry('{"id": "tea", "title": "X"}'), "the id tea is that of line 1 already"),
    "an action and a url": (entry('{"id": "x", "title": "X", "action": "a", "url": "https://a.b"}'), "one of them at most"),
    "much data": (entry('{"id": "x", "title": "X", "data": {"a": "' + 4000 * "x" + '"}}'), "4,000 are the most"),
    "a long line": (entry('{"id": "x", "title": "X", "text": "' + 200_000 * "x" + '"}'), "200,000 are the most"),
    "a sign that is no text": (entry('{"id": "x", "title": "X\\u0007"}'), "cannot be seen"),
    "a surrogate": (entry('{"id": "x", "title": "X\\ud800"}'), "not JSON: "),
}  # fmt: skip

SHAPE_FAULTS = {
    "no YAML": ("intents:\n  a: b: c <--\n", "not YAML: "),
    "a tab": ("intents:\n\ta: b <--\n", "Indent with spaces"),
    "a bracket before a text": ("intents:\n  a:\n    data:\n      - sentences:\n          - [please] go <--\n", "quotation"),
    "a text that never ends": ("intents:\n  a: 'b <--\nlists:\n", "not YAML: found unexpected end of stream"),
    "an anchor": ("intents: &a <--\n  b: *a\n", "anchors (&name) and aliases (*name) are not used here"),
    "a tag": ("intents: !!python/object:os.system {} <--\n", "the tag"),
    "two documents": (COMMANDS + "--- <--\nintents: {}\n", "a second document"),
    "a list as a key": ("intents:\n  ? [a] <--\n  : b\n", "a key must be a word"),
    "much too deep": (f"intents: {'[' * 500} <--\n", "nested deeper than"),
    "a key twice": (COMMANDS + "lists: {} <--\n", 'the key "lists" stands in line 5 already'),
    "a key unknown": (COMMANDS + "inents: {} <--\n", "Did you mean intents?"),
    "a key of a block unknown": (block("      - sentence: [go] <--\n        sentences: [go]\n"), "Did you mean sentences?"),
    "a key missing": (COMMANDS + "intents2: {} <--\n", "there is no key"),
    "no data": ("intents:\n  a: {} <--\n", "must have a key data"),
    "a text for a list": (block("      - sentences: order tea <--\n"), 'must be a list, a line with "- " for each'),
    "a list for a text": (block("      - sentences:\n          - [tea] <--\n"), "begins with [ wants quotation marks"),
    "a mapping for a text": (block("      - sentences:\n          - order tea: now <--\n"), "a colon in it wants quotation"),
    "nothing": (block("      - sentences:\n          - <--\n"), "must be text, but nothing is there"),
    "a number that is none": (block("      - sentences: [go]\n        sure: high <--\n"), "must be a number from 0 to 1"),
    "a number too large": (block("      - sentences: [go]\n        ask: 30 <--\n"), "must be a number from 0 to 1"),
    "a flag that is none": (COMMANDS + "open_speech: maybe <--\n", "must be true or false"),
    "a number that is not whole": (COMMANDS.replace("from: 1, to: 3}}", "from: 1, to: 2.5}} <--"), "a whole number"),
    "another language": (COMMANDS + "language: de <--\n", "only English"),
    "a character that nobody sees": (COMMANDS + "# \0 <--\n", "U+0000"),
}  # fmt: skip

LIST_FAULTS = {
    "an example that is no sentence": (COMMANDS + "examples:\n  - order a boat <--\n", "is not understood"),
    "a list unknown": (templates('"order {drnk}"'), "there is no such list. Did you mean drink?"),
    "an empty list": (COMMANDS.replace("{catalogue: drink}", "{values: []} <--"), "the list drink is empty"),
    "a list of nothing": (COMMANDS.replace("{catalogue: drink}", "{} <--"), "is one of values, range, catalogue"),
    "a list of two kinds": (
        COMMANDS.replace("{catalogue: drink}", "{catalogue: drink, values: [a]} <--"), "has values and catalogue",
    ),
    "a value twice": (values("tea", "coffee", "Tea <--"), '"Tea" stands in line 8 of drink already'),
    "a value of two meanings": (values("{in: tea, out: 1}", "{in: tea, out: 2} <--"), '"tea" is "1" in line 8'),
    "a value without words": (values("tea", "'...' <--"), "has no words"),
    "a value that may be nothing": (values("tea", "'[hot]' <--"), "can be nothing at all"),
    "a value that refers": (values("tea", "'{amount}' <--"), "values are words"),
    "a value with an open bracket": (values("tea", "(hot tea <--"), "opens a bracket with ( and does not close it"),
    "a range upside down": (COMMANDS.replace("from: 1, to: 3}}", "from: 5, to: 3}} <--"), "it goes from 5 to 3"),
    "a range too large": (COMMANDS.replace("to: 3}}", "to: 99999}} <--"), "has 99,999 numbers, but 10,000 are the most"),
    "a range that stands still": (COMMANDS.replace("to: 3}}", "to: 3, step: 0}} <--"), "goes on by 0"),
    "a tag that nothing has": (COMMANDS.replace("catalogue: drink}", "catalogue: drinks} <--"), "Did you mean drink?"),
    "a list with a bad name": (COMMANDS + "  1st: {values: [a]} <--\n", "is no name of a list"),
}  # fmt: skip

SENTENCE_FAULTS = {
    "no intents": ("intents: {} <--\n", "there are no intents"),
    "an intent with a bad name": (COMMANDS.replace("  order:", "  my order: <--"), "is no name of an intent"),
    "an intent without blocks": ("intents:\n  a: {data: []} <--\n", "has no sentences"),
    "a block without sentences": (block("      - sentences: [] <--\n"), "there are no sentences"),
    "a rule unknown": (templates('"order <drnk>"'), "there is no such rule"),
    "a bracket not closed": (templates('"order (tea"'), "opens a bracket with ( and does not close it, at character 7"),
    "a bracket not opened": (templates('"order tea]"'), "closes a bracket with ] that is not open, at character 10"),
    "brackets that cross": (templates('"order (tea [now)]"'), "closes a bracket with )"),
    "nothing in brackets": (templates('"order () tea"'), "has nothing in ()"),
    "a list with no name": (templates('"order {my drink}"'), "is no list: write {list}"),
    "a range without a slot": (templates('"order {1..5}"'), "fills no slot"),
    "a range upside down": (templates('"order {5..1:amount}"'), "it goes from 5 to 1"),
    "a template too long": (templates(f'"order {" tea" * 2000}"'), "5,000 are the most"),
    "a template too deep": (templates(f'"order {"(" * 20}tea{")" * 20}"'), "nested deeper than 12 brackets"),
    "a template without words": (templates('"?"'), "has no words"),
    "a template that may be silence": (templates('"[order {drink}]"'), "silence would mean it"),
    "too many in any order": (templates('"order (a;b;c;d;e;f;g) {drink}"'), "7 parts in any order (;), but 6 are the most"),
    "a slot required that one never has": (
        block("      - sentences:\n          - order {drink}\n          - order {amount} <--\n        requires: [drink]\n"),
        "never has the slot drink",
    ),
    "a slot forbidden that one always has": (
        block("      - sentences:\n          - order [{drink}]\n          - get {drink} <--\n        forbids: [drink]\n"),
        "always has the slot drink",
    ),
    "a slot unknown required": (
        block("      - sentences: ['order {drink} [{amount}]']\n        requires:\n          - drinks <--\n"), "Did you mean drink?",
    ),
    "a slot unknown forbidden": (
        block("      - sentences: ['order {drink} [{amount}]']\n        forbids: [amont] <--\n"), "Did you mean amount?",
    ),
    "rules in a circle": (COMMANDS + "expansion_rules:\n  a: '<b>' <--\n  b: go [<a>]\n", "<a> leads to <b> leads to <a>"),
    "a rule that is no template": (COMMANDS + "expansion_rules:\n  a: 'go [now' <--\n", "does not close it"),
    "a rule of an unknown list": (COMMANDS + "expansion_rules:\n  a: 'go {where}' <--\n", "there is no such list"),
    "an action with a bad name": (block("      - sentences: [go]\n        action: Go there <--\n"), "is no name of an action"),
    "an answer with a slot unknown": (
        block("      - sentences: ['order {drink}']\n        response: 'So {drnk}.' <--\n"), "Did you mean drink?",
    ),
    "an answer with a bracket": (block("      - sentences: [go]\n        response: 'Going {' <--\n"), "a bracket { or }"),
    "an answer that says more": (
        block("      - sentences: ['order {drink}']\n        response: '{drink!r}' <--\n"), "only {slot} can stand there",
    ),
    "an answer that reaches in": (
        block("      - sentences: ['order {drink}']\n        response: '{drink.__class__}' <--\n"), "only {slot} can stand there",
    ),
    "sure below ask": (block("      - sentences: [go]\n        sure: 0.1 <--\n"), "sure is 0.1 and ask is 0.3"),
    "a fixed slot with a bad name": (block("      - sentences: [go]\n        slots: {'a.b': c} <--\n"), "is no name of a slot"),
    "a sentence of two intents": (
        COMMANDS.replace("lists:", "  other:\n    data:\n      - sentences: ['order tea [now]'] <--\nlists:"),
        '"order tea" is a sentence of order and other (line 4)',
    ),
    "a sentence of two blocks": (
        block("      - sentences: [go]\n        action: a\n      - sentences: [go <--, leave]\n        action: b\n"),
        '"go" is a sentence of two blocks of order (line 4)',
    ),
    "a word that nobody can say": (templates('"order 東京"'), '"東京" cannot be read out in English'),
    "words of far too many letters": (templates(f'"order {"[a][b]" * 30}c"'), "put spaces between words"),
    "more than anybody can say": (
        block("      - sentences: ['<r0>'] <--\n") + "expansion_rules:\n"
        + "".join(f"  r{n}: '<r{n + 1}> <r{n + 1}>'\n" for n in range(20)) + "  r20: go\n",
        "stands for too much",
    ),
}  # fmt: skip

LEXICON_FAULTS = {
    "no phones": ("tea T IY\ncoffee <--\n", "has no phones"),
    "a phone unknown": ("coffee K AA F IQ <--\n", "there is no phone IQ"),
    "nothing behind the sign": ("coffee = <--\n", 'nothing stands behind "="'),
    "two words": ("hot tea = hot tea <--\n", "is more than one word"),
    "a line twice": ("tea T IY\ntea T IY <--\n", "as line 1 does already"),
}

ALL = [
    *[("catalogue.jsonl", text, what, name) for name, (text, what) in CATALOGUE_FAULTS.items()],
    *[
        ("commands.yaml", text, what, name)
        for faults in (SHAPE_FAULTS, LIST_FAULTS, SENTENCE_FAULTS)
        for name, (text, what) in faults.items()
    ],
    *[("lexicon.txt", text, what, name) for name, (text, what) in LEXICON_FAULTS.items()],
]


def folder_of(path: Path, **files: str) -> Path:
    folder = path / "shop"
    folder.mkdir()
    (folder / "catalogue.jsonl").write_text(files.get("catalogue", CATALOGUE), encoding="utf-8")
    for name, file in (("commands", "commands.yaml"), ("lexicon", "lexicon.txt")):
        if name in files:
            (folder / file).write_text(files[name], encoding="utf-8")
    return folder


def faults_of(folder: Path) -> list[Fault]:
    return check_domain(folder).faults.faults


@pytest.mark.parametrize(("file", "text", "what"), [one[:3] for one in ALL], ids=[f"{one[0]}: {one[3]}" for one in ALL])
def test_a_fault_is_told_by_its_line(tmp_path: Path, file: str, text: str, what: str) -> None:
    assert text.count("<--") == 1
    line = 1 + text[: text.index("<--")].count("\n")
    text = text.replace(" <--", "")
    folder = folder_of(tmp_path, **{"commands": COMMANDS, file.partition(".")[0]: text})
    told = faults_of(folder)
    there = [fault for fault in told if what in fault.sentence]
    assert there, told
    assert (there[0].file, there[0].line) == (folder / file, line)
    assert there[0].sentence.endswith((".", "?"))
    assert "\n" not in str(there[0])
    # Whoever serves it says the same.
    with pytest.raises(DomainError) as caught:
        make_bundle(load_domain(str(folder)))
    assert str(there[0]) in str(caught.value).splitlines()


def test_more_than_forty_kinds_are_known() -> None:
    assert len(ALL) > 80


def test_what_the_faults_are_made_of_has_none(tmp_path: Path) -> None:
    checked = check_domain(folder_of(tmp_path, commands=COMMANDS, lexicon="tea T IY\n"))
    assert (checked.faults.faults, checked.faults.warnings) == ([], [])
    assert checked.bundle is not None


def test_all_faults_of_all_files_are_told_at_once_in_order(tmp_path: Path) -> None:
    commands = dedent("""\
        intents:
          order:
            data:
              - sentences: ["order {drnk}", "order (tea", 5]
                sure: high
                colour: red
              - sentences: go
        lists:
          drink: {values: [tea, tea]}
          amount: {range: {from: 3, to: 1}}
        """)
    folder = folder_of(tmp_path, catalogue="{\n", commands=commands, lexicon="tea\n")
    with pytest.raises(DomainError) as caught:
        load_domain(str(folder))
    told = [line.removeprefix(f"{folder}/").split(": ")[0] for line in str(caught.value).splitlines()]
    assert told == [
        "catalogue.jsonl:1",
        *(f"commands.yaml:{line}" for line in (4, 4, 5, 6, 7, 9, 10)),
        "lexicon.txt:1",
    ]


def test_what_follows_from_a_fault_is_none_of_its_own(tmp_path: Path) -> None:
    """A list that has a fault is there, and a slot of a sentence that has one may be."""
    commands = dedent("""\
        intents:
          order:
            data:
              - sentences: ["order {drink} ["]
                requires: [size]
                response: "{size}"
        lists:
          drink: {values: {a: b}}
        """)
    told = [(fault.line, fault.sentence.split(",")[0]) for fault in faults_of(folder_of(tmp_path, commands=commands))]
    assert told == [
        (8, "lists.drink.values must be a list"),
        (4, "opens a bracket with [ and does not close it"),
    ]


def test_a_circle_of_rules_is_told_and_nothing_that_follows_from_it(tmp_path: Path) -> None:
    circle = block("      - sentences: ['<a>']\n") + "expansion_rules:\n  a: '<b>'\n  b: '<a>'\n"
    assert [fault.line for fault in faults_of(folder_of(tmp_path, commands=circle))] == [9, 10]


def test_faults_without_end_are_counted(tmp_path: Path) -> None:
    broken = "".join(f"          - go ({number}\n" for number in range(KEPT_MAX + 7))
    faults = check_domain(folder_of(tmp_path, commands=block(f"      - sentences:\n{broken}"))).faults
    assert (len(faults.faults), faults.left_out, faults.count) == (KEPT_MAX, 7, KEPT_MAX + 7)
    with pytest.raises(DomainError, match=rf"\n\.\.\. and {KEPT_MAX + 7 - TOLD_MAX} more\.$"):
        faults.raise_any()


@pytest.mark.parametrize(
    ("commands", "line", "what"),
    [
        (COMMANDS + "  more: {values: [a]}\n", 8, "no sentence uses the list more"),
        (COMMANDS + "expansion_rules:\n  more: go\n", 9, "no sentence uses the rule more"),
        (block("      - sentences:\n          - order {drink} [{amount}]\n          - order {drink} [{amount}]\n"), 6,
         "stands in line 5 already"),
        (templates('"order qwertzuiop"').replace(" <--", ""), 6, '"qwertzuiop" is in no dictionary, and is listened for'),
        (values("flour", "flower"), 9, '"flour" and "flower" of drink sound the same'),
        (values("fifteen pounds", "fifty pounds"), 9, "sound much alike"),
    ],
)  # fmt: skip
def test_what_would_be_better_is_a_warning_by_its_line(tmp_path: Path, commands: str, line: int, what: str) -> None:
    folder = folder_of(tmp_path, commands=commands)
    checked = check_domain(folder)
    assert checked.faults.faults == []
    told = [warning for warning in checked.faults.warnings if what in warning.sentence]
    assert [(warning.file.name, warning.line) for warning in told] == [("commands.yaml", line)]
    load_domain(str(folder))


def test_values_that_mean_the_same_may_sound_the_same(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, commands=values("{in: flour, out: flour}", "{in: flower, out: flour}"))
    assert check_domain(folder).faults.warnings == []


def test_a_guess_that_is_written_down_is_none_any_more(tmp_path: Path) -> None:
    commands = templates('"order qwertzuiop"').replace(" <--", "")
    (warning,) = check_domain(folder_of(tmp_path, commands=commands)).faults.warnings
    line = warning.sentence.split('"')[3]
    assert line.startswith("qwertzuiop ")
    (tmp_path / "shop" / "lexicon.txt").write_text(line)
    assert check_domain(tmp_path / "shop").faults.warnings == []


def test_other_files_are_told_of_with_the_name_that_was_perhaps_meant(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    for name in ("command.yaml", "README.md", ".git", "commands.yaml~"):
        (folder / name).write_text("")
    (warning,) = check_domain(folder).faults.warnings
    assert str(warning) == f"{folder / 'command.yaml'}: is not read. Did you mean commands.yaml?"


def test_blocks_with_the_same_sentence_are_told_apart_by_what_they_require(tmp_path: Path) -> None:
    apart = dedent("""\
        intents:
          order:
            data:
              - sentences: ["order {drink} [{amount}]"]
                requires: [amount]
                action: a
              - sentences: ["order {drink} [{amount}]"]
                forbids: [amount]
                action: b
        lists:
          drink: {catalogue: drink}
          amount: {range: {from: 1, to: 3}}
        """)
    folder = folder_of(tmp_path, commands=apart)
    assert faults_of(folder) == []
    (folder / "commands.yaml").write_text(apart.replace("forbids: [amount]", "requires: [drink]"))
    (fault,) = faults_of(folder)
    assert "is a sentence of two blocks of order (line 4)" in fault.sentence


def test_names_of_entries_that_sound_the_same_are_told_by_the_line(tmp_path: Path) -> None:
    flower = '{"id": "rose", "title": "The flower", "aliases": ["Rose"]}\n{"id": "bread", "title": "The flour", "aliases": ["Bread"]}\n'
    (warning,) = check_domain(folder_of(tmp_path, catalogue=flower)).faults.warnings
    assert warning.line == 2
    assert warning.sentence.startswith('"The flower" of rose (line 1) and "The flour" of bread sound the same.')


def test_warnings_of_one_kind_are_told_some_and_counted(tmp_path: Path) -> None:
    entries = "".join(f'{{"id": "e{number}", "title": "Lamp {number}"}}\n' for number in range(ALIKE_MAX + 8))
    warnings = check_domain(folder_of(tmp_path, catalogue=entries)).faults.warnings
    assert len(warnings) == ALIKE_MAX + 1
    assert (warnings[-1].line, warnings[-1].sentence) == (21, "the same is to be said of 8 more, from this line on.")
