from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from protos.feature_spec import DEFAULT_SPEC
from protos.model_card import (
    Command,
    ModelCard,
    ModelCardError,
    OperatingPoint,
    read_model_card,
    sha256,
    write_model_card,
)

CARD = ModelCard(
    name="commands",
    version="3",
    kind="commands",
    feature_spec_fingerprint=DEFAULT_SPEC.fingerprint,
    labels=("yes", "no"),
    window_frames=98,
    model_sha256=sha256(b"model"),
    commands={"yes": Command(text="yes")},
    operating_points={"default": OperatingPoint(threshold=0.8, label_thresholds={"no": 0.9})},
    licence="CC-BY-4.0",
    sources=("Speech Commands v0.02, without speakers of the test set",),
    data_sha256=sha256(b"data"),
    code_version="0.1.0",
    limits="Knows two words.",
    created="2026-01-31",
)


def test_a_card_that_is_written_is_read_again(tmp_path: Path) -> None:
    write_model_card(tmp_path / "commands.card.json", CARD)
    assert read_model_card(tmp_path / "commands.card.json") == CARD


def test_a_card_can_be_read_by_a_person(tmp_path: Path) -> None:
    write_model_card(tmp_path / "card", CARD)
    assert '\n  "licence": "CC-BY-4.0",\n' in (tmp_path / "card").read_text()


def test_a_model_of_these_features_may_run_on_them() -> None:
    CARD.check_spec(DEFAULT_SPEC)


def test_a_model_of_other_features_is_refused_with_both_named() -> None:
    other = replace(DEFAULT_SPEC, levels=64)
    with pytest.raises(ModelCardError) as refusal:
        CARD.check_spec(other)
    assert DEFAULT_SPEC.fingerprint in str(refusal.value)
    assert other.fingerprint in str(refusal.value)


def test_the_bytes_of_another_model_are_refused() -> None:
    CARD.check_model(b"model")
    with pytest.raises(ModelCardError, match="not that of model commands 3"):
        CARD.check_model(b"another")


def test_a_missing_card_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelCardError, match=r"card: No such file or directory$"):
        read_model_card(tmp_path / "card")


def as_json(**changes: object) -> bytes:
    return msgspec.json.encode({**msgspec.to_builtins(CARD), **changes})


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\xfe", b"{}", as_json(labels=7), as_json(colour="green"), as_json(name=None)]
)
def test_what_is_not_a_card_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "card").write_bytes(content)
    with pytest.raises(ModelCardError, match="card: not a model card: "):
        read_model_card(tmp_path / "card")
