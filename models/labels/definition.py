"""How this project labels: the agreement that every transcriber works by, as a file with a version.

`data-definition.toml` lies beside the manifest that it is about. A change of it is a new version and a migration of the
labels (`parrotlet-models apply`), never a word in somebody's mail.
"""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from common.errors import SettingsError
from common.settings import AT_LEAST, Loaded, as_toml, keys, load

FILE_NAME = "data-definition.toml"


class Agreement(msgspec.Struct, frozen=True):
    version: Annotated[int, Meta(ge=1, description="Counts up with each change of this file.")] = 1
    name: Annotated[str, Meta(min_length=1, description="Whose agreement it is.")] = "parrotlet"


class Fillers(msgspec.Struct, frozen=True):
    write: Annotated[
        Literal["comma", "ellipsis", "bare", "drop", "free"],
        Meta(description='"Um, hello" · "Um… hello" · "Um hello" · "Hello", even if it was said · as one likes.'),
    ] = "comma"
    words: Annotated[tuple[str, ...], Meta(description="The fillers that are written, as they are spelt.")] = (
        "um",
        "uh",
        "er",
        "hmm",
    )
    spellings: Annotated[tuple[str, ...], Meta(description='Others\' spellings of them, each as "wanted/other".')] = (
        "um/umm",
        "um/uhm",
        "um/ummm",
        "uh/uhh",
        "uh/uuh",
        "er/err",
        "er/erm",
        "hmm/hm",
        "hmm/hmmm",
    )


class Punctuation(msgspec.Struct, frozen=True):
    write: Annotated[
        Literal["sentence", "none", "free"],
        Meta(description='"Hello, you." with a mark at the end · "Hello you" · as one likes.'),
    ] = "sentence"
    ellipsis: Annotated[
        Literal["…", "...", "none", "free"],
        Meta(description="How a sentence that trails off is written; none: as any other."),
    ] = "…"


class LetterCase(msgspec.Struct, frozen=True):
    write: Annotated[
        Literal["sentence", "lower", "upper", "free"],
        Meta(description='"Call Ann" · "call ann" · "CALL ANN" · as one likes.'),
    ] = "sentence"


class Numbers(msgspec.Struct, frozen=True):
    write: Annotated[
        Literal["words", "digits", "free"], Meta(description='"ten minutes" · "10 minutes" · as one likes.')
    ] = "words"


class Contractions(msgspec.Struct, frozen=True):
    write: Annotated[
        Literal["as_spoken", "expanded", "free"],
        Meta(description='"don\'t" where that is said, with a straight apostrophe · always "do not" · as one likes.'),
    ] = "as_spoken"


class Spelling(msgspec.Struct, frozen=True):
    english: Annotated[
        Literal["british", "american", "free"], Meta(description='"colour" · "color" · as one likes.')
    ] = "british"
    pairs: Annotated[tuple[str, ...], Meta(description='Further words with two spellings, each as "wanted/other".')] = (
        "okay/ok",
    )


class Unclear(msgspec.Struct, frozen=True):
    unintelligible: Annotated[str, Meta(min_length=1, description="Stands where nobody can tell what was said.")] = (
        "[unintelligible]"
    )
    foreign: Annotated[str, Meta(min_length=1, description="Stands for speech in another language.")] = "[foreign]"


class Noises(msgspec.Struct, frozen=True):
    write: Annotated[
        Literal["mark", "drop", "free"], Meta(description='"[cough] Hello." · "Hello." · as one likes.')
    ] = "drop"
    marks: Annotated[tuple[str, ...], Meta(description="The marks that are written.")] = (
        "[laughter]",
        "[cough]",
        "[breath]",
        "[noise]",
    )


class Silence(msgspec.Struct, frozen=True):
    before_ms_min: Annotated[int, Meta(ge=0, le=60_000, description="Before the first word, at least.")] = 100
    before_ms_max: Annotated[
        int, Meta(ge=0, le=60_000, description="And at most.", extra={AT_LEAST: "silence.before_ms_min"})
    ] = 1000
    after_ms_min: Annotated[int, Meta(ge=0, le=60_000, description="After the last word, at least.")] = 100
    after_ms_max: Annotated[
        int, Meta(ge=0, le=60_000, description="And at most.", extra={AT_LEAST: "silence.after_ms_min"})
    ] = 1500


class Loudness(msgspec.Struct, frozen=True):
    lufs_min: Annotated[float, Meta(ge=-70, le=0, description="Loudness of a clip, as recorded, at least.")] = -50.0
    lufs_max: Annotated[
        float, Meta(ge=-70, le=0, description="And at most.", extra={AT_LEAST: "loudness.lufs_min"})
    ] = -12.0
    normalise_to_lufs: Annotated[
        float | None,
        Meta(description="Leave it unset: the board hears sound as it is, and so must a model."),
    ] = None


class Definition(msgspec.Struct, frozen=True):
    """The whole agreement."""

    agreement: Agreement = Agreement()
    fillers: Fillers = Fillers()
    punctuation: Punctuation = Punctuation()
    letter_case: LetterCase = LetterCase()
    numbers: Numbers = Numbers()
    contractions: Contractions = Contractions()
    spelling: Spelling = Spelling()
    unclear: Unclear = Unclear()
    noises: Noises = Noises()
    silence: Silence = Silence()
    loudness: Loudness = Loudness()


def read_definition(file: Path) -> Definition:
    """SettingsError, a sentence a fault: file, key, legal range, near key."""
    definition = load(Definition, file=file, environment={}, environment_prefix="PARROTLET_DEFINITION").settings
    faults = list(_bad_pairs(definition))
    if faults:
        raise SettingsError("\n".join(f"{file}: {fault}" for fault in faults))
    return definition


def definition_file(manifest: Path) -> Path | None:
    """The definition that a manifest is under: its own, named after it, else that of its folder; None: no such file."""
    for file in (manifest.with_suffix(".definition.toml"), manifest.with_name(FILE_NAME)):
        if file.is_file():
            return file
    return None


def definition_for(manifest: Path, given: Path | None = None) -> tuple[Definition, Path | None]:
    """The agreement for a manifest and where it stands: the file given, else the one beside, else the example's."""
    file = given if given is not None else definition_file(manifest)
    return (Definition(), None) if file is None else (read_definition(file), file)


def example() -> str:
    """The default agreement as a file, with a comment for each key."""
    written = as_toml(Loaded(Definition(), dict.fromkeys((key.path for key in keys(Definition)), "")))
    return (
        "# How we label. Change what you like, count the version up, and move the labels there:\n"
        "# parrotlet-models apply data-definition.toml manifest.jsonl new/manifest.jsonl\n\n"
        + written.replace("; from \n", "\n")
    )


def pairs(written: tuple[str, ...]) -> dict[str, str]:
    """From another spelling to the wanted one, in small letters."""
    return {other.lower(): wanted.lower() for wanted, _, other in (pair.partition("/") for pair in written)}


def changed(old: Definition, new: Definition) -> list[str]:
    """Sections that two versions have different, but for the version itself."""
    names = [field.name for field in msgspec.structs.fields(Definition) if field.name != "agreement"]
    return [name for name in names if getattr(old, name) != getattr(new, name)]


def _bad_pairs(definition: Definition) -> list[str]:
    faults = []
    for path, written in (
        ("fillers.spellings", definition.fillers.spellings),
        ("spelling.pairs", definition.spelling.pairs),
    ):
        for pair in written:
            wanted, slash, other = pair.partition("/")
            if not (wanted and slash and other and "/" not in other and wanted.lower() != other.lower()):
                faults.append(f'{path} holds "{pair}", but each must be "wanted/other".')
    return faults
