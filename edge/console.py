"""What a person sees: a live line while somebody speaks, then the answer. Plain ANSI, and only on a terminal.

A partial may be redrawn at any time; everything else is a line that stays.
"""

import os
import shutil
import threading
from collections.abc import Callable, Mapping
from typing import TextIO

from common.plain_text import plain
from edge.asking.answer import Alternative, Answer, Partial, Path, Result
from edge.asking.timing import TimingMs, time_line

RESULTS_SHOWN = 5
ALTERNATIVES_SHOWN = 3
TITLE_WIDTH_MAX = 32

_BY: Mapping[Path, str] = {
    "cloud": "the cloud",
    "house": "the house",
    "local": "the board itself",
    "none": "nobody",
}

Paint = Callable[[str], str]

_ERASE_LINE = "\r\x1b[K"


class Console:
    """A terminal, or what stands for one; safe to use from several threads."""

    def __init__(self, out: TextIO, environment: Mapping[str, str] = os.environ) -> None:
        self._out = out
        self.terminal = out.isatty()
        self.live = self.terminal and environment.get("TERM") != "dumb"
        """Whether there is a line to redraw."""
        self._coloured = self.live and not environment.get("NO_COLOR")
        self._drawn = False
        self._lock = threading.Lock()

    def bold(self, text: str) -> str:
        return self._painted("1", text)

    def faint(self, text: str) -> str:
        return self._painted("2", text)

    def warning(self, text: str) -> str:
        return self._painted("33", text)

    @property
    def width(self) -> int:
        """Columns; unbounded where nobody looks."""
        return shutil.get_terminal_size().columns if self.live else 10_000

    def draw(self, line: str) -> None:
        """Replaces the live line; nothing where there is none. `line` must fit the width."""
        if self.live:
            with self._lock:
                self._out.write(_ERASE_LINE + line)
                self._out.flush()
                self._drawn = True

    def draw_partial(self, partial: Partial) -> None:
        """The words so far: those that stay firm, those that may change faint; of long ones the end."""
        room = self.width - 3
        text = plain(partial.text)
        stable, unstable = text[: len(partial.stable_text)], text[len(partial.stable_text) :]
        if len(text) > room:
            cut = len(text) - room + 1
            stable, unstable = "…" + stable[cut:], unstable[max(0, cut - len(stable)) :]
        self.draw("  " + self.bold(stable) + self.faint(unstable))

    def print(self, text: str = "") -> None:
        """A line that stays, or several."""
        with self._lock:
            self._erase()
            self._out.write(text + "\n")
            self._out.flush()

    def clear(self) -> None:
        """Takes the live line away."""
        with self._lock:
            self._erase()
            self._out.flush()

    def print_answer(self, heading: str, answer: Answer, timing: TimingMs, *, with_times: bool = False) -> None:
        """What came of an utterance; `with_times`: and when."""
        lines = [self.faint(plain(heading))]
        if answer.path == "none":
            # Why is for standard error, where it is said once.
            lines.append("  " + self.warning("not answered"))
        else:
            lines.append(
                "  " + (self.bold(plain(answer.transcript)) if answer.transcript else self.faint("(no words)"))
            )
            lines += self._meaning(answer)
            lines += self._alternatives(answer.alternatives[:ALTERNATIVES_SHOWN])
            lines += self._results(answer.results[:RESULTS_SHOWN])
            if answer.response:
                lines.append("  " + plain(answer.response))
            lines.append("  " + self.faint(plain(_summary(answer, timing))))
            if answer.why_not_better:
                lines.append("  " + self.warning(plain(f"by {_BY[answer.path]}: {answer.why_not_better}")))
        if with_times:
            lines.append("  " + self.faint(time_line(timing)))
        self.print("\n".join(lines) + "\n")

    def _meaning(self, answer: Answer) -> list[str]:
        """What was understood, or the question back; and why, where that was asked for."""
        lines = []
        if answer.intent:
            slots = ", ".join(f"{slot}: {value}" for slot, value in answer.slots.items())
            sure = "" if answer.intent_confidence is None else f" ({answer.intent_confidence:.0%} sure)"
            lines.append("  " + _fit(f"{answer.intent}{sure}" + (f"  {slots}" if slots else ""), self.width - 2))
        if answer.choices:
            asked = ", or ".join(f'"{choice.transcript}"' for choice in answer.choices)
            lines.append("  " + self.warning(_fit(f"Did you mean {asked}?", self.width - 2)))
        return lines + ["  " + self.faint(plain(why)) for why in answer.explanation]

    def _alternatives(self, alternatives: tuple[Alternative, ...]) -> list[str]:
        return ["  " + self.faint(_fit(f"or: {other.transcript}", self.width - 2)) for other in alternatives]

    def _results(self, results: tuple[Result, ...]) -> list[str]:
        column = min(max((len(result.title) for result in results), default=0), TITLE_WIDTH_MAX)
        lines = []
        for number, result in enumerate(results, start=1):
            title = _fit(result.title, column)
            target = result.action or result.url
            leads_to = plain(f"  → {target}") if target else ""
            room = max(self.width - column - 8 - len(leads_to), 0)
            lines.append(f"  {number:>2}  {title:<{column}}  {self.faint(_fit(result.snippet, room) + leads_to)}")
        return lines

    def _erase(self) -> None:
        if self._drawn:
            self._out.write(_ERASE_LINE)
            self._drawn = False

    def _painted(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._coloured and text else text


def _summary(answer: Answer, timing: TimingMs) -> str:
    """Who answered and how long it took, such as "whisper tiny.en, 91 % sure, after 812 ms (decoding 610)"."""
    said = [" ".join(filter(None, (answer.engine, answer.model))) or answer.path]
    if answer.confidence is not None:
        said.append(f"{answer.confidence:.0%} sure")
    if not answer.results:
        said.append("nothing found")
    if timing.endpoint_to_final is not None:
        parts = (("waiting", timing.waiting), ("decoding", timing.decoding), ("searching", timing.searching))
        known = ", ".join(f"{name} {ms}" for name, ms in parts if ms is not None)
        said.append(f"{timing.endpoint_to_final} ms after the end" + (f" ({known})" if known else ""))
    return ", ".join(said)


def _fit(text: str, columns: int) -> str:
    text = plain(text)
    return text if len(text) <= columns else text[: max(columns - 1, 0)] + "…"
