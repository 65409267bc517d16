import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta

from cloud.settings import CloudSettings
from common.errors import SettingsError
from common.settings import AT_LEAST, AT_MOST, as_toml, environment_name, keys, legal, load
from edge.settings import EdgeSettings

PREFIX = "PARROTLET_TEST"


class Link(msgspec.Struct, frozen=True):
    address: Annotated[str, Meta(description="Who to ask.")] = "127.0.0.1:7407"
    pause_s: Annotated[float, Meta(gt=0, le=60)] = 1.5
    tries: Annotated[int, Meta(ge=1, le=20)] = 5
    least: Annotated[int, Meta(ge=3)] = 3
    most: Annotated[int, Meta(le=9)] = 9
    above: Annotated[float, Meta(gt=2)] = 3.0
    name: Annotated[str, Meta(pattern="^[a-z]*$")] = ""
    key: Annotated[str, Meta(max_length=40, description="A secret.")] = ""
    secure: bool = False
    low: Annotated[int, Meta(ge=0, le=99, extra={AT_MOST: "link.usual"})] = 20
    usual: Annotated[int, Meta(ge=0, le=99)] = 30
    high: Annotated[int, Meta(ge=0, le=99, extra={AT_LEAST: "link.usual"})] = 40


class Place(msgspec.Struct, frozen=True):
    folder: Path = Path("/var/lib")
    mode: Literal["always", "button"] = "always"
    served: tuple[str, ...] = ("home",)
    limit: Annotated[int | None, Meta(description="Unset: none.")] = None


class Settings(msgspec.Struct, frozen=True):
    link: Link = Link()
    place: Place = Place()


def loaded(
    content: str = "",
    folder: Path | None = None,
    environment: dict[str, str] | None = None,
    options: dict[str, Any] | None = None,
) -> Any:
    file = None
    if folder is not None:
        file = folder / "edge.toml"
        file.write_text(content, encoding="utf-8")
    return load(Settings, file=file, environment=environment or {}, environment_prefix=PREFIX, options=options)


def faults(*arguments: Any, **more: Any) -> list[str]:
    with pytest.raises(SettingsError) as error:
        loaded(*arguments, **more)
    return str(error.value).splitlines()


def test_without_anything_all_is_as_declared() -> None:
    found = loaded()
    assert found.settings == Settings()
    assert set(found.origins.values()) == {"default"}
    assert list(found.origins)[:2] == ["link.address", "link.pause_s"]


def test_an_option_beats_the_environment_and_that_the_file_and_that_the_default(tmp_path: Path) -> None:
    found = loaded(
        "[link]\ntries = 2\npause_s = 2\naddress = 'file'",
        tmp_path,
        {"PARROTLET_TEST_LINK_TRIES": "3", "PARROTLET_TEST_LINK_PAUSE_S": "3.5"},
        {"link.tries": 4, "link.address": None},
    )
    assert found.settings.link == Link(address="file", pause_s=3.5, tries=4)
    assert found.origins["link.tries"] == "option"
    assert found.origins["link.pause_s"] == "PARROTLET_TEST_LINK_PAUSE_S"
    assert found.origins["link.address"] == str(tmp_path / "edge.toml")
    assert found.origins["link.secure"] == "default"


def test_text_from_the_environment_becomes_what_the_key_holds() -> None:
    text = {"LINK_SECURE": "true", "LINK_TRIES": "7", "PLACE_FOLDER": "/srv", "PLACE_SERVED": "a,b", "PLACE_LIMIT": "4"}
    found = loaded(environment={f"{PREFIX}_{name}": value for name, value in text.items()}).settings
    assert (found.link.secure, found.link.tries) == (True, 7)
    assert found.place == Place(folder=Path("/srv"), served=("a", "b"), limit=4)


def test_a_path_may_start_from_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert loaded(options={"place.folder": "~/parrotlet"}).settings.place.folder == Path("/home/ada/parrotlet")


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        loaded().settings.link.tries = 9


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[link]\ntries = 21", "link.tries is 21, but must be a whole number from 1 to 20."),
        ("[link]\ntries = 2.5", "link.tries is 2.5, but must be a whole number from 1 to 20."),
        ("[link]\ntries = true", "link.tries is true, but must be a whole number from 1 to 20."),
        ("[link]\nleast = 2", "link.least is 2, but must be a whole number of at least 3."),
        ("[link]\nmost = 10", "link.most is 10, but must be a whole number of at most 9."),
        ("[link]\nabove = 2", "link.above is 2, but must be a number above 2."),
        ("[link]\npause_s = '1'", 'link.pause_s is "1", but must be a number above 0, 60 at most.'),
        ("[link]\npause_s = nan", "link.pause_s is nan, but must be a number above 0, 60 at most."),
        ("[link]\nname = 'A'", 'link.name is "A", but must be text that matches ^[a-z]*$.'),
        (f"[link]\nkey = '{'x' * 41}'", f'link.key is "{"x" * 41}", but must be text of 0 to 40 characters.'),
        ("[link]\nsecure = 1", "link.secure is 1, but must be true or false."),
        ("[link]\naddress = 2026-01-31", 'link.address is "2026-01-31", but must be text.'),
        ("[place]\nfolder = 3", "place.folder is 3, but must be a path."),
        ("[place]\nfolder = '~nobody-of-that-name/x'", 'is "~nobody-of-that-name/x", but must be a path.'),
        ("[place]\nmode = 'sometimes'", 'place.mode is "sometimes", but must be one of "always", "button".'),
        ("[place]\nserved = 'home'", 'place.served is "home", but must be a list of texts.'),
        ("[place]\nserved = [1]", "place.served is [1], but must be a list of texts."),
        ("[place.limit]\nx = 1", 'place.limit is {"x":1}, but must be a whole number.'),
        ("[link]\nlow = 31", "link.low is 31, but must be at most link.usual, which is 30 (default)."),
        ("[link]\nhigh = 29", "link.high is 29, but must be at least link.usual, which is 30 (default)."),
        ("[link]\nhigh = 100", "link.high is 100, but must be a whole number from 0 to 99."),
        ("[link]\ntrys = 1", "there is no key trys in [link]. Did you mean tries?"),
        ("[place]\nzzz = 1", "there is no key zzz in [place]. There are: folder, limit, mode, served."),
        ("[lnk]\ntries = 1", "there is no section [lnk]. Did you mean link?"),
        ("[zzz]\n", "there is no section [zzz]. There are: link, place."),
        ("tries = 1", "there is no section [tries]."),
        ("link = 1", "there is no section [link]."),
    ],
)
def test_a_fault_is_one_sentence_that_names_the_file_the_key_and_what_is_legal(
    tmp_path: Path, content: str, sentence: str
) -> None:
    (fault,) = faults(content, tmp_path)
    assert fault.startswith(f"{tmp_path / 'edge.toml'}: ")
    assert sentence in fault


def test_values_in_the_wrong_order_are_told_with_where_both_came_from(tmp_path: Path) -> None:
    content = "[link]\nlow = 25\nhigh = 45"
    assert loaded(content, tmp_path).settings.link.low == 25
    (fault,) = faults(content, tmp_path, {"PARROTLET_TEST_LINK_USUAL": "50"})
    file = tmp_path / "edge.toml"
    assert fault == (
        f"{file}: link.high is 45, but must be at least link.usual, which is 50 (PARROTLET_TEST_LINK_USUAL)."
    )
    assert len(faults(content, tmp_path, {}, {"link.low": 44, "link.high": 10})) == 2


@pytest.mark.parametrize(("usual", "expected"), [(5, (5, 5, 40)), (20, (20, 20, 40)), (99, (20, 99, 99))])
def test_a_default_is_moved_to_the_value_that_it_must_not_pass(
    tmp_path: Path, usual: int, expected: tuple[int, ...]
) -> None:
    found = loaded(options={"link.usual": usual})
    assert (found.settings.link.low, found.settings.link.usual, found.settings.link.high) == expected
    assert (found.origins["link.low"], found.origins["link.high"]) == ("default", "default")
    assert loaded(as_toml(found), tmp_path).settings == found.settings


def test_a_variable_that_sets_nothing_is_named_with_the_near_one() -> None:
    with pytest.raises(SettingsError, match="PARROTLET_TEST_LINK_ADRESS.*Did you mean PARROTLET_TEST_LINK_ADDRESS"):
        loaded(environment={"PARROTLET_TEST_LINK_ADRESS": "x", "PARROTLET_TEST_CONFIG": "y", "PARROTLET_OTHER": "z"})


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    assert loaded("\ufeff[link]\npause_s = 2.0\n", tmp_path).settings.link.pause_s == 2.0


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    found = faults(
        "[link]\ntries = 0\nadress = 'x'", tmp_path, {"PARROTLET_TEST_LINK_SECURE": "maybe"}, {"place.mode": "never"}
    )
    assert [fault.split(": ")[0] for fault in found] == [str(tmp_path / "edge.toml")] * 2 + [
        "PARROTLET_TEST_LINK_SECURE",
        "option",
    ]
    assert found[2].endswith('link.secure is "maybe", but must be true or false.')


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml: No such file or directory\.$"):
        load(Settings, file=tmp_path / "none.toml", environment={}, environment_prefix=PREFIX)
    with pytest.raises(SettingsError, match=r": Is a directory\.$"):
        load(Settings, file=tmp_path, environment={}, environment_prefix=PREFIX)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"[link\n", "not TOML: "),
        (b"[link]\ntries = 1\ntries = 2\n", "not TOML: "),
        (b"\xff\xfe", "not UTF-8 text."),
    ],
)
def test_a_file_that_is_not_toml_is_named(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "edge.toml").write_bytes(content)
    with pytest.raises(SettingsError) as error:
        load(Settings, file=tmp_path / "edge.toml", environment={}, environment_prefix=PREFIX)
    assert str(error.value).startswith(f"{tmp_path / 'edge.toml'}: {sentence}")


def test_the_effective_settings_say_where_each_came_from() -> None:
    text = as_toml(loaded(options={"link.tries": 9}))
    assert text.startswith('[link]\n# Who to ask.\n#   text; from default\naddress = "127.0.0.1:7407"\n')
    assert "#   a whole number from 1 to 20; from option\ntries = 9\n" in text
    assert "# Unset: none.\n#   a whole number; from default\n# limit =\n" in text


def test_a_secret_is_masked_and_an_empty_one_is_seen_to_be_empty() -> None:
    secrets = frozenset({"link.key"})
    assert 'key = "***"\n' in as_toml(loaded(options={"link.key": "open sesame"}), secrets)
    assert 'key = ""\n' in as_toml(loaded(), secrets)


texts = st.text("aZ0 é∞😀\"'\\\n\t\r\x00\x1f\x7f\u2028#=[]{},.-")
values = st.fixed_dictionaries(
    {},
    optional={
        "link.address": texts,
        "link.pause_s": st.floats(0, 60, exclude_min=True),
        "link.above": st.floats(2, exclude_min=True, allow_infinity=False),
        "link.secure": st.booleans(),
        "place.folder": texts.filter(lambda text: "\0" not in text).map(Path),
        "place.served": st.lists(texts).map(tuple),
        "place.limit": st.integers(-(2**63), 2**63 - 1),
    },
)


@settings(max_examples=50)
@given(values)
def test_what_is_printed_can_be_loaded_again(tmp_path_factory: pytest.TempPathFactory, given_values: Any) -> None:
    first = loaded(options=given_values)
    again = loaded(as_toml(first), tmp_path_factory.getbasetemp())
    assert again.settings == first.settings


@pytest.mark.parametrize("settings_type", [EdgeSettings, CloudSettings])
def test_our_own_settings_print_load_and_tell_what_each_is(tmp_path: Path, settings_type: Any) -> None:
    found = load(settings_type, file=None, environment={}, environment_prefix=PREFIX)
    (tmp_path / "file").write_text(as_toml(found), encoding="utf-8")
    again = load(settings_type, file=tmp_path / "file", environment={}, environment_prefix=PREFIX)
    assert again.settings == found.settings == settings_type()
    assert tomllib.loads(as_toml(found))
    for key in keys(settings_type):
        assert key.meta.description, f"{key.path} has no description"
        assert "<" not in legal(key), f"{key.path} cannot be told in words"


def test_hang_overs_are_told_when_they_are_in_the_wrong_order() -> None:
    for name, ms, sentence in (
        ("hang_over_ms_min", 800, "hang_over_ms_min is 800, but must be at most segmenter.hang_over_ms, which is 700"),
        ("hang_over_ms_max", 600, "hang_over_ms_max is 600, but must be at least segmenter.hang_over_ms, which is 700"),
    ):
        with pytest.raises(SettingsError, match=sentence):
            load(EdgeSettings, file=None, environment={}, environment_prefix=PREFIX, options={f"segmenter.{name}": ms})


def test_no_two_settings_have_the_same_variable() -> None:
    for settings_type in (EdgeSettings, CloudSettings):
        names = [environment_name(PREFIX, key.path) for key in keys(settings_type)]
        assert len(names) == len(set(names))
        assert f"{PREFIX}_CONFIG" not in names
