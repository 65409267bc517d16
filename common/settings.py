"""Typed settings from a TOML file, the environment and options, each value with where it came from.

A settings type is a frozen struct of sections, each a frozen struct of values:

    class Cloud(msgspec.Struct, frozen=True):
        address: Annotated[str, Meta(description="Service to ask, HOST:PORT.")] = "127.0.0.1:7407"

    class Settings(msgspec.Struct, frozen=True):
        cloud: Cloud = Cloud()

`load` fills it: defaults, then the file, then PREFIX_SECTION_KEY of the environment, then options. All faults are
collected and told at once, a sentence each: source, key, legal range, near key. A value may also be a tuple of structs:
tables of the file, [[section.key]].
"""

import os
import tomllib
import types
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar, Union, get_args, get_origin

import msgspec

from common.errors import SettingsError

S = TypeVar("S", bound=msgspec.Struct)

AT_MOST, AT_LEAST = "at_most", "at_least"
"""Keys of a Meta's `extra`: the path of another value that this one must not pass; a default is moved to it."""


class Key(NamedTuple):
    """One value that can be set."""

    section: str
    name: str
    type: Any
    """As annotated, with its Meta."""
    default: Any

    @property
    def path(self) -> str:
        return f"{self.section}.{self.name}"

    @property
    def meta(self) -> msgspec.Meta:
        """Range and description; empty where none was given."""
        found = [extra for extra in get_args(self.type)[1:] if isinstance(extra, msgspec.Meta)]
        return found[0] if found and get_origin(self.type) is Annotated else msgspec.Meta()


class Loaded(NamedTuple, Generic[S]):
    """Settings, and for each path ``section.key`` where its value came from."""

    settings: S
    origins: Mapping[str, str]


def keys(settings_type: type[msgspec.Struct]) -> Iterator[Key]:
    """All values of a settings type, in order."""
    for section in msgspec.structs.fields(settings_type):
        for field in msgspec.structs.fields(section.type):
            yield Key(section.encode_name, field.encode_name, field.type, field.default)


def load(
    settings_type: type[S],
    *,
    file: Path | None,
    environment: Mapping[str, str] = os.environ,
    environment_prefix: str,
    options: Mapping[str, Any] | None = None,
) -> Loaded[S]:
    """Effective settings. `options` maps ``section.key`` to values given on the command line; None is not given.

    SettingsError, a sentence a fault, if anything is unknown, of a wrong type or out of range.
    """
    known = {key.path: key for key in keys(settings_type)}
    values: dict[str, Any] = {}
    origins = dict.fromkeys(known, "default")
    faults: list[str] = []

    def take(path: str, raw: Any, origin: str, *, from_text: bool = False) -> None:
        told = len(faults)
        if (table := table_type(known[path])) is not None:
            faults.extend(_table_faults(path, table, raw, origin))
        try:
            values[path] = msgspec.convert(raw, known[path].type, strict=not from_text, dec_hook=_path)
            origins[path] = origin
        except msgspec.ValidationError:
            if len(faults) == told:
                faults.append(f"{origin}: {path} is {_shown(raw)}, but must be {legal(known[path])}.")

    if file is not None:
        for path, raw in _file_values(file, known, faults):
            take(path, raw, str(file))
    for path in known:
        variable = environment_name(environment_prefix, path)
        if variable in environment:
            raw_text: Any = environment[variable]
            if get_origin(_plain(known[path].type)) is tuple:
                raw_text = [part for part in raw_text.split(",") if part]
            take(path, raw_text, variable, from_text=True)
    faults += _unknown_variables(environment, environment_prefix, known)
    for path, raw in (options or {}).items():
        if raw is not None:
            take(path, raw, "option")
    faults += _keep_order(known, values, origins)
    if faults:
        raise SettingsError("\n".join(faults))
    return Loaded(_build(settings_type, values), origins)


def table_type(key: Key) -> type[msgspec.Struct] | None:
    """What each table is, of a key whose value is some of them; None for any other key."""
    plain = _plain(key.type)
    inner = get_args(plain)[0] if get_origin(plain) is tuple else None
    return inner if isinstance(inner, type) and issubclass(inner, msgspec.Struct) else None


def _table_faults(path: str, table: type[msgspec.Struct], raw: Any, origin: str) -> Iterator[str]:
    """What is wrong with the tables of [[path]], one by one."""
    if not isinstance(raw, list) or not all(isinstance(given, dict) for given in raw):
        yield f"{origin}: {path} must be tables, each under a line [[{path}]] of the settings file."
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(table)}
    for number, given in enumerate(raw, start=1):
        for name, value in given.items():
            if name not in fields:
                yield f"{origin}: there is no key {name} in [[{path}]].{_near(name, set(fields))}"
                continue
            key = Key(f"{path}[{number}]", name, fields[name].type, fields[name].default)
            try:
                msgspec.convert(value, key.type, dec_hook=_path)
            except msgspec.ValidationError:
                yield f"{origin}: {key.path} is {_shown(value)}, but must be {legal(key)}."
        missing = [name for name, field in fields.items() if field.required and name not in given]
        if missing:
            yield f"{origin}: {path}[{number}] lacks {' and '.join(missing)}."


def _keep_order(known: Mapping[str, Key], values: dict[str, Any], origins: Mapping[str, str]) -> Iterator[str]:
    """Moves each default that is on the wrong side of another value; a sentence for what was set there."""
    for path, key in known.items():
        for side, other in (key.meta.extra or {}).items():
            value, limit = (values.get(name, known[name].default) for name in (path, other))
            if not (value > limit if side == AT_MOST else value < limit):
                continue
            if origins[path] == "default":
                values[path] = limit
            else:
                words = f"{side.replace('_', ' ')} {other}, which is {_shown(limit)} ({origins[other]})"
                yield f"{origins[path]}: {path} is {_shown(value)}, but must be {words}."


def _unknown_variables(environment: Mapping[str, str], prefix: str, known: Mapping[str, Key]) -> Iterator[str]:
    names = {environment_name(prefix, path) for path in known} | {f"{prefix}_CONFIG"}
    for variable in sorted(environment):
        if variable.startswith(f"{prefix}_") and variable not in names:
            near = _alike(variable, names)
            yield f"{variable}: there is no such setting." + (f" Did you mean {near[0]}?" if near else "")


def environment_name(prefix: str, path: str) -> str:
    """Variable that sets ``section.key``, such as PARROTLET_EDGE_CLOUD_ADDRESS."""
    return f"{prefix}_{path.replace('.', '_').upper()}"


def legal(key: Key) -> str:
    """What a value may be, in words, such as "a number from 0 to 3"."""
    plain = _plain(key.type)
    if get_origin(plain) is Literal:
        return "one of " + ", ".join(_shown(choice) for choice in get_args(plain))
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "text", Path: "a path"}
    noun = words.get(plain, str(plain))
    if get_origin(plain) is tuple:
        noun = "a list of texts" if table_type(key) is None else "tables, each under a line of its own in brackets"
    meta = key.meta
    low = meta.ge if meta.ge is not None else meta.gt
    high = meta.le if meta.le is not None else meta.lt
    if low is not None and high is not None:
        noun += f" from {low} to {high}" if meta.ge is not None else f" above {low}, {high} at most"
    elif low is not None:
        noun += f" of at least {low}" if meta.ge is not None else f" above {low}"
    elif high is not None:
        noun += f" of at most {high}"
    if meta.min_length and get_origin(plain) is tuple:
        noun += f", {meta.min_length} of them at least"
    if meta.max_length is not None and plain is str:
        noun += f" of {meta.min_length or 0} to {meta.max_length} characters"
    if meta.pattern is not None:
        noun += f" that matches {meta.pattern}"
    return noun


def as_toml(loaded: Loaded[Any], secrets: frozenset[str] = frozenset()) -> str:
    """The effective settings as a TOML file that could be loaded again; comments say what each key is and where
    its value came from. Values of `secrets` (paths) are masked."""
    lines: list[str] = []
    section = ""
    for key in keys(type(loaded.settings)):
        if key.section != section:
            section = key.section
            lines += ["", f"[{section}]"]
        value = getattr(getattr(loaded.settings, key.section), key.name)
        if key.meta.description:
            lines.append(f"# {key.meta.description}")
        for field in msgspec.structs.fields(table_type(key) or msgspec.Struct):
            of_table = Key(key.path, field.encode_name, field.type, field.default)
            lines.append(f"#   {field.encode_name}: {of_table.meta.description} ({legal(of_table)})")
        lines.append(f"#   {legal(key)}; from {loaded.origins[key.path]}")
        shown = '"***"' if key.path in secrets and value else _shown(value)
        # TOML has no null: what is not set is a comment.
        lines.append(f"# {key.name} =" if value is None else f"{key.name} = {shown}")
    return "\n".join(lines[1:]) + "\n"


def _file_values(file: Path, known: Mapping[str, Key], faults: list[str]) -> Iterator[tuple[str, Any]]:
    try:
        tree = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file}: not UTF-8 text.") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file}: not TOML: {error}.") from error
    sections = {key.section for key in known.values()}
    for section, content in tree.items():
        if section not in sections or not isinstance(content, dict):
            faults.append(f"{file}: there is no section [{section}].{_near(section, sections)}")
            continue
        names = {key.name for key in known.values() if key.section == section}
        for name, raw in content.items():
            if name in names:
                yield f"{section}.{name}", raw
            else:
                faults.append(f"{file}: there is no key {name} in [{section}].{_near(name, names)}")


def _build(settings_type: type[S], values: Mapping[str, Any]) -> S:
    sections: dict[str, Any] = {}
    for section in msgspec.structs.fields(settings_type):
        given = {path.split(".", 1)[1]: value for path, value in values.items() if path.split(".")[0] == section.name}
        sections[section.name] = section.type(**given)
    return settings_type(**sections)


def _path(wanted: type, raw: Any) -> Any:
    """What msgspec does not convert by itself: text to Path."""
    if wanted is not Path:
        raise NotImplementedError
    try:
        if isinstance(raw, str) and "\0" in raw:
            raise ValueError("no path holds a NUL")
        return Path(raw).expanduser()
    except (TypeError, RuntimeError) as error:  # Not text, or "~somebody" who is not there.
        raise ValueError(str(error)) from error


def _plain(annotated: Any) -> Any:
    """The type below Annotated and `| None`."""
    if get_origin(annotated) is Annotated:
        return _plain(get_args(annotated)[0])
    if get_origin(annotated) in (Union, types.UnionType):
        return _plain(next(choice for choice in get_args(annotated) if choice is not type(None)))
    return annotated


def _near(word: str, words: set[str]) -> str:
    near = _alike(word, words)
    return f" Did you mean {near[0]}?" if near else f" There are: {', '.join(sorted(words))}."


def _alike(word: str, words: Iterable[str]) -> list[str]:
    """The one that was meant, if any looks like it."""
    import difflib  # Not for who types no wrong word.

    return difflib.get_close_matches(word, sorted(words), n=1, cutoff=0.5)


def _shown(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_shown(item) for item in value) + "]"
    if isinstance(value, msgspec.Struct):
        # What is not set is left out, as TOML has no null.
        pairs = [(name, part) for name, part in msgspec.structs.asdict(value).items() if part is not None]
        return "{" + ", ".join(f"{name} = {_shown(part)}" for name, part in pairs) + "}"
    if isinstance(value, Path):
        value = str(value)
    if isinstance(value, float):
        return repr(value)  # Also nan and inf, which JSON has not.
    # JSON's texts and numbers are TOML's, but for this one character.
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
