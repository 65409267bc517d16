"""A typed text, understood and searched as the service would if an engine had heard it."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any, NamedTuple

from cloud.building.build import make_bundle
from cloud.building.domain import Domain
from cloud.decoders import Hypothesis
from cloud.final import response
from cloud.finding.index import open_index
from cloud.finding.search import Found, found_entries, search
from cloud.understanding.network import Following
from cloud.understanding.understand import Outcome, Understood, understand

RESULTS_MAX = 5


class Tried(NamedTuple):
    """What became of a text."""

    text: str
    outcome: Outcome
    found: tuple[Found, ...]

    def as_json(self, *, explain: bool) -> dict[str, Any]:
        """The same keys as those of an answer."""
        understood = self.outcome.understood
        told: dict[str, Any] = {"transcript": self.text} | _meaning(understood)
        told["choices"] = [_meaning(choice) for choice in self.outcome.choices]
        told["results"] = [hit._asdict() for hit in self.found]
        return told | ({"explanation": self.outcome.explanation} if explain else {})

    def lines(self, *, explain: bool) -> Iterator[str]:
        """To read."""
        understood = self.outcome.understood
        if understood is None and not self.outcome.choices:
            yield "no sentence of the domain"
        for choice in (understood,) if understood else self.outcome.choices:
            yield ("" if understood else "perhaps ") + (choice.block.intent or "the name of an entry")
            for slot, words in choice.meaning.slots.items():
                value = choice.meaning.values[slot]
                yield f"  {slot:<16} {words}" + (f"  = {value}" if value != words else "")
            if understood is not None:
                meaning = _meaning(understood)
                yield from (f"  -> {what} {meaning[what]}" for what in ("action", "response") if meaning[what])
        for hit in self.found:
            target = hit.url or hit.action
            yield f"{hit.score:6.2f}  {hit.title}  [{hit.id}]" + (f"  -> {target}" if target else "")
        if explain:
            yield from self.outcome.explanation


def try_text(domain: Domain, text: str) -> Tried:
    """What the domain makes of a text. DomainError if it cannot be built."""
    bundle = make_bundle(domain)
    outcome = understand(Following(bundle.network), bundle.blocks, [Hypothesis("text", "typed", text)])
    named = list(outcome.understood.meaning.values.values()) if outcome.understood else []
    with closing(open_index(domain)) as index:
        hits = [*found_entries(index, named), *search(index, text, RESULTS_MAX)]
    found = {hit.id: hit for hit in reversed(hits)}
    order = list(dict.fromkeys(hit.id for hit in hits))[:RESULTS_MAX]
    return Tried(text, outcome, tuple(found[id] for id in order))


def _meaning(understood: Understood | None) -> dict[str, Any]:
    if understood is None or not understood.block.intent:
        return {"intent": None, "slots": {}, "values": {}, "action": None, "response": None, "confidence": None}
    block, meaning = understood.block, understood.meaning
    return {
        "intent": block.intent,
        "slots": meaning.slots,
        "values": meaning.values,
        "action": block.action,
        "response": response(block.response, meaning.slots),
        "confidence": understood.confidence,
    }
