"""What of a growing transcript can be shown as firm.

Two readings in a row that begin with the same words make those words stable (local agreement: Liu, Spanakis and
Niehues 2020). What was called stable is never taken back, whatever the decoder thinks later: the final says so.
"""


class PartialText:
    """The partials of one attempt."""

    def __init__(self) -> None:
        self.stable: list[str] = []
        self.unstable: list[str] = []
        self.revision = 0
        self._before: list[str] = []

    def update(self, text: str) -> bool:
        """Takes the decoder's words so far; whether there is anything new to show."""
        words = text.split()
        agreed = 0
        while agreed < min(len(words), len(self._before)) and words[agreed] == self._before[agreed]:
            agreed += 1
        self._before = words
        shown = (list(self.stable), self.unstable)
        if agreed > len(self.stable):
            self.stable += words[len(self.stable) : agreed]
        self.unstable = words[len(self.stable) :]
        if (self.stable, self.unstable) == shown:
            return False
        self.revision += 1
        return True
