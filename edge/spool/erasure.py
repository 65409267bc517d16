"""What is to be forgotten: one utterance, or what was spoken in a time, or everything."""

import msgspec


class Erasure(msgspec.Struct, frozen=True):
    """Where nothing is said, everything."""

    utterance_id: str | None = None
    since_unix_us: int | None = None
    """Spoken from then on, by the board's clock."""
    until_unix_us: int | None = None
    """Spoken before then."""

    @property
    def is_everything(self) -> bool:
        return self == Erasure()

    def fits(self, utterance_id: str, spoken_at_unix_us: int) -> bool:
        """Whether that utterance is to be forgotten."""
        return (
            self.utterance_id in (None, utterance_id)
            and (self.since_unix_us is None or self.since_unix_us <= spoken_at_unix_us)
            and (self.until_unix_us is None or spoken_at_unix_us < self.until_unix_us)
        )
