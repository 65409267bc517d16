"""No speaker, no sound and nothing made from another is on two sides of a split, and adding clips moves nobody."""

from collections import defaultdict
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from common.errors import DataError
from models.__main__ import main
from models.data.clip import Clip
from models.data.manifest import read_manifest, write_manifest
from models.data.split import Plan, Shares, split

NAMES = st.text("abcdefghij", min_size=1, max_size=2)
OWN = Plan(Shares(0.2, 0.2), own_speakers=True)


@st.composite
def sets(draw: st.DrawFn) -> list[Clip]:
    """Clips of a few speakers, some of nobody, some made from others."""
    clips: list[Clip] = []
    for number in range(draw(st.integers(1, 25))):
        origin = draw(st.sampled_from(clips)) if clips and draw(st.booleans()) else None
        speaker = origin.speaker if origin else draw(st.none() | NAMES)
        part = draw(st.sampled_from([None, "train", "test"]))
        clips.append(Clip(path=f"{number}.flac", speaker=speaker, made_from=origin and origin.path, split=part))
    return draw(st.permutations(clips))


@given(clips=sets(), keep=st.booleans(), seed=NAMES)
def test_nothing_is_on_two_sides(clips: list[Clip], keep: bool, seed: str) -> None:
    divided = split(clips, OWN._replace(keep_test=keep, seed=seed))
    assert [msgspec.structs.replace(clip, split=None) for clip in divided] == [
        msgspec.structs.replace(clip, split=None) for clip in clips
    ]
    by_path = {clip.path: clip for clip in divided}
    sides = defaultdict(set)
    for before, clip in zip(clips, divided, strict=True):
        assert clip.split is not None
        if clip.speaker is not None:
            sides[clip.speaker].add(clip.split)
        if clip.made_from is not None:
            assert clip.split == by_path[clip.made_from].split
        if keep and before.split == "test":
            assert clip.split == "test"
    assert all(len(side) == 1 for side in sides.values())


@given(clips=sets(), more=sets())
def test_adding_clips_moves_nobody(clips: list[Clip], more: list[Clip]) -> None:
    added = [
        msgspec.structs.replace(clip, path=f"more/{clip.path}", made_from=clip.made_from and f"more/{clip.made_from}")
        for clip in more
    ]
    plan = OWN._replace(keep_test=False)
    assert split([*added, *clips], plan)[len(added) :] == split(clips, plan)


def test_a_kept_test_part_moves_nobody_between_train_and_tune() -> None:
    clips = [Clip(path=f"{number}.flac", speaker=f"speaker {number}") for number in range(300)]
    kept = [*clips, Clip(path="t.flac", speaker="tim", split="test")]
    alone, beside = split(clips, Plan()), split(kept, Plan())
    assert beside[-1].split == "test"
    assert all(
        after.split == before.split or (before.split, after.split) == ("test", "train")
        for before, after in zip(alone, beside, strict=False)
    )
    assert split(kept, Plan(keep_test=False))[:-1] == alone


def test_shares_are_of_the_speakers_and_a_seed_draws_others() -> None:
    clips = [Clip(path=f"{number}.flac", speaker=f"speaker {number}") for number in range(2000)]
    divided = split(clips, Plan(Shares(0.1, 0.2)))
    counts = [sum(clip.split == part for clip in divided) for part in ("train", "tune", "test")]
    assert counts == pytest.approx([1400, 200, 400], abs=60)
    assert split(clips, Plan(Shares(0.1, 0.2), seed="other")) != divided


def test_who_is_not_named_is_refused_unless_each_is_their_own() -> None:
    clips = [Clip(path="a.flac", speaker="ann"), Clip(path="b.flac"), Clip(path="c.flac", made_from="b.flac")]
    with pytest.raises(DataError, match="2 clips have no speaker, such as b.flac: --no-speaker own"):
        split(clips, Plan())
    assert split(clips, OWN)[1].split == split(clips, OWN)[2].split


def test_where_nobody_speaks_nobody_has_to_be_named() -> None:
    silence = [Clip(path=f"{number}.flac", label="silence") for number in range(100)]
    divided = split([Clip(path="a.flac", label="stop", speaker="ann"), *silence], Plan())
    assert {clip.split for clip in divided[1:]} == {"train", "tune", "test"}
    with pytest.raises(DataError, match="1 clips have no speaker, such as b.flac"):
        split([*silence, Clip(path="b.flac", label="stop")], Plan())


def test_a_clip_that_is_made_from_itself_is_refused() -> None:
    with pytest.raises(DataError, match="is made from itself"):
        split([Clip(path="a", made_from="b"), Clip(path="b", made_from="a")], OWN)


def divided(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["split", str(folder / "m.jsonl"), *words])


def leaking(folder: Path) -> None:
    """The same sound said to be of three speakers, one of them of the kept test part."""
    for name, content in {"a": b"one", "b": b"one", "c": b"two", "d": b"one"}.items():
        (folder / name).write_bytes(content)
    clips = [Clip(path=name, speaker=name, split="test" if name == "b" else "train") for name in "abcd"]
    write_manifest(folder / "m.jsonl", [*clips, Clip(path="e", speaker="a", made_from="a", split="train")])


def test_a_leak_is_refused_by_the_names_of_the_clips(tmp_path: Path) -> None:
    clips = [
        Clip(path="a", speaker="ann", split="train"),
        Clip(path="b", speaker="ann", split="test"),
        Clip(path="c", speaker="bob", split="tune"),
        Clip(path="d", speaker="bob 2", split="train", made_from="c"),
        Clip(path="e"),
    ]
    write_manifest(tmp_path / "m.jsonl", clips)
    result = divided(tmp_path, "--check")
    assert result.exit_code == 2
    assert result.stderr.replace(f"{tmp_path}/", "").splitlines() == [
        "m.jsonl:2: the speaker ann is in train (a, line 1) and in test (b, line 2).",
        "m.jsonl:4: a clip and what was made from it is in tune (c, line 3) and in train (d, line 4).",
        "m.jsonl: 2 things are on two sides of the split.",
    ]


def test_a_sound_on_two_sides_is_refused_or_dropped(tmp_path: Path) -> None:
    leaking(tmp_path)
    refused = divided(tmp_path, "new.jsonl", "--tune", "0")
    assert refused.exit_code == 2
    assert "m.jsonl:2: the same sound is in train (a, line 1) and in test (b, line 2)." in refused.stderr
    assert "--drop leaves out" in refused.stderr
    new = tmp_path / "elsewhere" / "new.jsonl"
    dropped = divided(tmp_path, str(new), "--tune", "0", "--drop")
    assert dropped.stdout == (
        f"{new}: train 1 clips of 1 speakers, tune 0 clips of 0 speakers, test 1 clips of 1 speakers; 3 dropped\n"
    )
    assert [(clip.path, clip.split) for clip in read_manifest(new).clips] == [("../b", "test"), ("../c", "train")]
    assert CliRunner().invoke(main, ["split", "--check", str(new)]).exit_code == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "Say where to write the NEW manifest, or --check and none."),
        (("new.jsonl", "--check"), "or --check and none."),
        (("new.jsonl", "--tune", "0.6", "--test", "0.6"), "more than all speakers together"),
        (("new.jsonl", "--tune", "1.5"), "1.5 is not in the range"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, words: tuple[str, ...], sentence: str) -> None:
    write_manifest(tmp_path / "m.jsonl", [Clip(path="a", speaker="ann")])
    result = divided(tmp_path, *words)
    assert result.exit_code == 2
    assert sentence in result.stderr
