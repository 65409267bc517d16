"""Which utterances of the log are wanted, and how that is asked of its tables."""

from typing import Any

import msgspec

TEXT_LENGTH_MAX = 200


class Wanted(msgspec.Struct, frozen=True):
    """All that is given must fit; None is not asked for. Times are microseconds since 1970."""

    device_id: str | None = None
    since_unix_us: int | None = None
    until_unix_us: int | None = None
    text: str | None = None
    """Part of the transcript, whatever its case."""
    intent: str | None = None
    engine: str | None = None
    domain: str | None = None
    model: str | None = None
    confidence_max: float | None = None
    snr_max: float | None = None
    empty: bool | None = None
    judged: bool | None = None
    """Whether anybody said anything of it."""
    before_number: int | None = None
    """Older in the log."""

    def where(self) -> tuple[str, list[Any]]:
        """A condition on `facts`, and its values."""
        rules, values = ["TRUE"], []
        for rule, value in (
            ("facts.device_id = ?", self.device_id),
            ("facts.at_unix_us >= ?", self.since_unix_us),
            ("facts.at_unix_us < ?", self.until_unix_us),
            ("facts.intent = ?", self.intent),
            ("facts.engine = ?", self.engine),
            ("facts.domain = ?", self.domain),
            ("facts.model = ?", self.model),
            ("facts.confidence <= ?", self.confidence_max),
            ("facts.snr_db <= ?", self.snr_max),
            ("facts.was_empty = ?", self.empty),
            ("facts.number < ?", self.before_number),
        ):
            if value is not None:
                rules.append(rule)
                values.append(value)
        if self.text is not None:
            rules.append("facts.transcript LIKE ? ESCAPE '\\'")
            values.append(f"%{_escaped(self.text[:TEXT_LENGTH_MAX])}%")
        if self.judged is not None:
            rules.append(f"facts.number {'' if self.judged else 'NOT '}{_JUDGED}")
        return " AND ".join(rules), values


# From what was said, which is little, to the answers.
_JUDGED = "IN (SELECT answers.number FROM feedback JOIN answers USING (device_id, utterance_id))"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
