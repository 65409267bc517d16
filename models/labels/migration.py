"""From one version of the agreement to the next."""

import re
from pathlib import Path

from common.errors import DataError
from models.data.clip import Clip
from models.data.manifest import Manifest
from models.labels.agreement import agreement_on
from models.labels.definition import Definition, changed, definition_file


class Migration:
    """DataError if the new version is not newer, or says nothing new."""

    def __init__(self, manifest: Manifest, old: Definition, new: Definition) -> None:
        versions = old.agreement.version, new.agreement.version
        self.sections = changed(old, new)
        if versions[1] <= versions[0]:
            raise DataError(
                f"The labels are under version {versions[0]}, and this is version {versions[1]}: count it up first."
            )
        self._versions = versions
        self._agreement = agreement_on(manifest, new)
        self._names = [name for name in self._agreement.names if name in self.sections]
        self._marks = [
            (getattr(old.unclear, name), getattr(new.unclear, name)) for name in ("unintelligible", "foreign")
        ]
        self._lines = {(clip.path, clip.start_ms, clip.end_ms): line for line, clip in manifest.entries}
        self.open: list[tuple[int, Clip, str]] = []
        """Line, clip and convention of each label that only a person can move."""

    def told(self) -> str:
        """What is different, in a line."""
        what = ", ".join(self.sections) or "nothing that is written in a label"
        return f"Version {self._versions[0]} to {self._versions[1]}; changed: {what}."

    def rewrite(self, clip: Clip) -> tuple[str | None, tuple[str, ...]]:
        """A label under the new version, and the conventions that changed it."""
        text, by = clip.text, []
        for name in self._names if text else ():
            assert text is not None
            renamed = self._renamed(text) if name == "unclear" else text
            after = self._agreement.by(name, renamed)
            if after is None:
                line = self._lines[clip.path, clip.start_ms, clip.end_ms]
                self.open.append((line, clip, name))
                after = renamed
            if after != text:
                text = after
                by.append(name)
        return text, tuple(by)

    def _renamed(self, text: str) -> str:
        """The old version's marks are known, whatever they look like."""
        for old, new in self._marks:
            text = re.sub(re.escape(old), lambda _, new=new: new, text)  # type: ignore[misc]
        return text


def own_definition(manifest: Path, definition: Path) -> None:
    """Puts the definition beside the manifest that is under it, where that has another or none."""
    there = definition_file(manifest)
    content = definition.read_bytes()
    if there is not None and there.read_bytes() == content:
        return
    manifest.with_suffix(".definition.toml").write_bytes(content)
