"""Rules of protos/*.proto that no compiler holds: see the head of speech.proto."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from protos import enrolment_pb2, speech_pb2

FILES = (speech_pb2.DESCRIPTOR, enrolment_pb2.DESCRIPTOR)
TEXT = "".join((Path(__file__).parent.parent / file.name).read_text(encoding="utf-8") for file in FILES)
FIELDS_ON_RECORD = Path(__file__).parent / "proto_fields.txt"

# A float that is always there, and for which 0.0 is a value like any other.
FLOATS_THAT_ARE_ALWAYS_SET = {"SearchResult.score"}

TYPE_NAMES = {
    number: name.removeprefix("TYPE_").lower()
    for name, number in vars(FieldDescriptor).items()
    if name.startswith("TYPE_")
}


def messages(inside: Descriptor | None = None) -> Iterator[Descriptor]:
    """All messages but the entries of maps, also nested ones."""
    of = [inside.nested_types] if inside else [file.message_types_by_name.values() for file in FILES]
    for message in itertools.chain.from_iterable(of):
        if not message.GetOptions().map_entry:
            yield message
            yield from messages(message)


def enums() -> Iterator[EnumDescriptor]:
    for file in FILES:
        yield from file.enum_types_by_name.values()
    for message in messages():
        yield from message.enum_types


def fields() -> Iterator[tuple[str, FieldDescriptor]]:
    for message in messages():
        for field in message.fields:
            yield f"{message.name}.{field.name}", field


def record(path: str, field: FieldDescriptor) -> str:
    """How a field stands in proto_fields.txt: what an old board or service relies on."""
    kind = field.message_type or field.enum_type
    shape = "repeated " if field.is_repeated else "optional " if field.has_presence and not kind else ""
    return f"{path} {field.number} {shape}{kind.name if kind else TYPE_NAMES[field.type]}"


def test_the_package_has_a_version() -> None:
    assert all(re.fullmatch(r"parrotlet\.v\d+", file.package) for file in FILES)


def test_every_enum_starts_with_unspecified_and_prefixes_its_names() -> None:
    for enum in enums():
        prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", enum.name).upper() + "_"
        assert enum.values_by_number[0].name == f"{prefix}UNSPECIFIED"
        assert all(value.name.startswith(prefix) for value in enum.values), enum.name


def test_a_number_that_was_not_measured_can_be_left_unset() -> None:
    floats = {FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE}
    always_set = {path for path, field in fields() if field.type in floats and not field.has_presence}
    assert always_set == FLOATS_THAT_ARE_ALWAYS_SET


def test_names_are_written_alike() -> None:
    assert all(re.fullmatch(r"[A-Z][A-Za-z]+", message.name) for message in messages())
    assert all(re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", field.name) for _, field in fields())


def test_a_time_says_its_unit() -> None:
    for path, field in fields():
        if re.search(r"(_at|_start|_end|duration|waiting|decoding|searching|decoded)(_|$)", field.name):
            assert re.search(r"_(ms|us)$", field.name), path


def test_no_field_changes_its_number_or_type_and_no_number_is_used_again() -> None:
    on_record = [line for line in FIELDS_ON_RECORD.read_text().splitlines() if not line.startswith("#")]
    now = [record(path, field) for path, field in fields()]
    new = [line for line in now if line not in on_record]
    taken = {(line.split(".")[0], line.split()[1]) for line in on_record}
    assert [line for line in new if (line.split(".")[0], line.split()[1]) in taken] == [], (
        "changed, or a number re-used"
    )
    assert new == [], "new fields: add these lines to proto_fields.txt"


def test_a_field_that_is_gone_leaves_its_number_and_name_reserved() -> None:
    now = {record(path, field) for path, field in fields()}
    for line in FIELDS_ON_RECORD.read_text().splitlines():
        if line.startswith("#") or line in now:
            continue
        path, number = line.split()[:2]
        body = re.search(rf"message {path.split('.')[0]} \{{(.*?)\n\}}", TEXT, re.DOTALL)
        reserved = " ".join(re.findall(r"reserved ([^;]*);", body.group(1))) if body else ""
        assert re.search(rf"\b{number}\b", reserved), f"{line}: not reserved"
        assert f'"{path.split(".")[1]}"' in reserved, f"{line}: name not reserved"


def uncommented(proto: str) -> list[str]:
    """Fields and enum values that nothing is said about: neither above them nor above those they stand with."""
    found, said, message = [], False, ""
    for line in proto.splitlines():
        text = line.strip()
        if opened := re.match(r"(message|enum) (\w+)", text):
            # What is said of a message holds for its fields where they are few and plain.
            message, said = opened.group(2), said and "{}" not in text
        elif text.startswith("//"):
            said = True
        elif declared := re.match(r"(?:optional |repeated )?[\w<>, ]*?(\w+) = \d+;", text):
            if not said and not declared.group(1).endswith("_UNSPECIFIED"):
                found.append(f"{message}.{declared.group(1)}")
        elif not text or text == "}":
            said = False
    return found


# Their names say all there is to say.
PLAIN = {
    "DescribeResponse.limits",
    "RecognizeResponse.partial",
    "RecognizeResponse.final",
    "UtteranceEnd.reason",
    "Alternative.transcript",
    "Alternative.confidence",
    "Word.text",
    "Word.start_ms",
    "Word.end_ms",
    "Word.confidence",
    "Intent.name",
    "Choice.intent",
    "EnrolResponse.certificate",
    "RenewResponse.certificate",
}


def test_every_field_says_what_it_is() -> None:
    assert set(uncommented(TEXT)) <= PLAIN


def test_a_field_without_a_comment_is_found() -> None:
    assert uncommented("message A {\n  // Said.\n  string a = 1;\n\n  optional uint32 b_ms = 2;\n}") == ["A.b_ms"]
