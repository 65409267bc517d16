"""The written agreement: an example that is the default, faults that are named, and which one a manifest is under."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from common.errors import SettingsError
from models.__main__ import main
from models.labels.definition import Definition, changed, definition_for, read_definition


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "data-definition.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_example_is_the_default(tmp_path: Path) -> None:
    file = tmp_path / "data-definition.toml"
    assert CliRunner().invoke(main, ["definition", "init", str(file)]).exit_code == 0
    assert read_definition(file) == Definition()
    again = CliRunner().invoke(main, ["definition", "init", str(file)])
    assert again.exit_code == 2
    assert "is there already" in again.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[fillers]\nwrite = "commma"', 'fillers.write is "commma", but must be one of "comma"'),
        ("[filler]\n", "there is no section [filler]. Did you mean fillers?"),
        ("[silence]\nbefore_ms = 3", "there is no key before_ms in [silence]"),
        ("[silence]\nbefore_ms_min = 700\nbefore_ms_max = 600", "must be at least silence.before_ms_min"),
        ("[agreement]\nversion = 0", "agreement.version is 0, but must be a whole number of at least 1"),
        ('[spelling]\npairs = ["okay"]', 'spelling.pairs holds "okay", but each must be "wanted/other"'),
        ('[fillers]\nspellings = ["um/um"]', 'fillers.spellings holds "um/um"'),
    ],
)
def test_a_fault_is_named_with_file_key_and_range(tmp_path: Path, text: str, words: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        read_definition(file)
    assert str(file) in str(caught.value)
    assert words in str(caught.value)


def test_a_manifest_is_under_its_own_definition_else_that_of_its_folder(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.jsonl"
    assert definition_for(manifest) == (Definition(), None)
    folder_file = written(tmp_path, "[agreement]\nversion = 2")
    assert definition_for(manifest)[1] == folder_file
    own = tmp_path / "manifest.definition.toml"
    own.write_text("[agreement]\nversion = 3")
    assert definition_for(manifest)[0].agreement.version == 3
    assert definition_for(manifest, folder_file)[0].agreement.version == 2


def test_what_changed_between_versions_is_told_by_section(tmp_path: Path) -> None:
    new = read_definition(written(tmp_path, '[agreement]\nversion = 2\n[numbers]\nwrite = "digits"'))
    assert changed(Definition(), new) == ["numbers"]
