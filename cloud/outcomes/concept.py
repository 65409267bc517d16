"""What right means has changed: answers that are as sure as ever, sound as usual, and are wrong. Pure.

What comes in may change as it likes: noise, new voices and new words make confidence fall, and what is promised falls
with it. Here only answers count that were understood, as surely as most, in sound like the reference's; and of them it
is watched whether complaints (feedback, re-asks) and labels say "wrong" more often than they promise: of all, of an
intent, of an entry, of a word. All wagers together are false once in RUN_LENGTH utterances at most (wager.py): each key
has its share of that, by how often it comes.
"""

import math
from collections import OrderedDict, deque
from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from cloud.drift.facts import Facts
from cloud.outcomes.promise import Key, Promises
from cloud.outcomes.wager import ODDS, Wager, gain

RUN_LENGTH = 8000.0
"""Utterances without a change in which one false alarm is to be expected at most."""

SHARES = {"all": 0.2, "intent": 0.2, "entry": 0.2, "word": 0.4}
"""Of the false alarms, what each kind of key may cause."""
KEYS_MAX = {"all": 1, "intent": 64, "entry": 256, "word": 256}
"""Of more, that goes which has not come for the longest."""
RAREST = 1e-3
"""Of all utterances: rarer keys are thought to come so often."""
RECENT_MAX = 800
"""Answers that are kept to look back at."""
SHOWN = 0.3
"""What counts so much of an answer is named as one that was wrong."""
WRONG_MIN = 3.0
"""Complaints and wrong labels; fewer are no change, whatever they are worth."""
AS_GOOD = 0.5
"""Whose evidence is so little below the best one's, a natural logarithm, explains as much; the rarest is named."""
OVER = 100.0
"""Likelier that all is as promised again than that it is still as it was told: then a change is over."""
AROUND_VERSION_US = 2 * 86_400_000_000
WITH_VERSION = 0.7
"""Of what was wrong, what must have come with another version, so that it is why."""
AROUND_VERSION = 12
"""Answers of a key between another version and the first that was wrong, where nobody knows the time."""

VERSIONS = ("model", "domain_version", "service_version", "local_model_version", "edge_version")
"""Of facts: what may have gone wrong by an update, the likeliest first."""

SERVED = ("model", "domain_version", "service_version")
"""Those that are another for all boards at once."""
VERSION_EVIDENCE = 200.0
"""One in so many versions is blamed for nothing, at most."""
VERSION_TIMES = RECENT_MAX
"""Answers after which a version is as usual as the one before."""

ALL: Key = ("all", "")
Kind = Literal["meaning", "update"]


class Seen(NamedTuple):
    """An answer, when it is known whether anybody complained."""

    facts: Facts
    words: Sequence[str]
    """Of its transcript, as spoken."""
    entry: str | None = None
    """Id of the result that stood first."""
    complaint: float = 0.0
    """Probability that it was wrong and somebody showed it; 0: nobody did."""
    is_chosen: bool = False
    """For labelling: then its label counts, and what people say of it does not."""


class Update(msgspec.Struct, frozen=True):
    """Another version."""

    what: str
    """One of VERSIONS."""
    before: str
    after: str


class Concept(msgspec.Struct, frozen=True):
    """A change of what is right."""

    kind: Kind
    key: Key
    since_unix_us: int | None
    answers: int
    """Of the key, since then."""
    wrong: float
    """Of them, as far as anybody said."""
    promised: float
    """How many that should have been at most."""
    labels: int
    """Of them, those that somebody labelled."""
    confidence: float
    """Their mean."""
    evidence: float
    """How much more there is than it takes, a natural logarithm."""
    update: Update | None = None
    mostly: Key | None = None
    """Of an update: where it was seen first."""
    utterance_ids: tuple[tuple[str, str], ...] = ()
    """Device and utterance, of those that were wrong."""

    @property
    def cause(self) -> str:
        """The same for the same cause."""
        what = self.key if self.update is None else (self.update.what, self.update.after)
        return f"concept-{self.kind}-{what[0]}-{what[1]}".rstrip("-")

    @property
    def words(self) -> list[str]:
        """That people said and the sentence has."""
        return [key[1] for key in (self.key, self.mostly) if key is not None and key[0] == "word"]

    def sentence(self) -> str:
        """For a person: what, since when, by what evidence, and what to do."""
        what = _NAMES[self.key[0]].format(self.key[1])
        counted = (
            f"{self.wrong:.0f} of {self.answers} answers were complained of or labelled wrong, at most "
            f"{max(self.promised, 0.1):.1f} were to be expected; they were as sure as ever "
            f"({100 * self.confidence:.0f} %) and sounded as usual"
        )
        if self.update is not None:
            name = self.update.what.replace("_", " ")
            first = f", first of all {_NAMES[self.mostly[0]].format(self.mostly[1])}" if self.mostly else ""
            return (
                f"Since {name} {self.update.before} became {self.update.after}, {what} is wrong more often{first}: "
                f"{counted}. Go back to {self.update.before}, or find what it broke: parrotlet-cloud label."
            )
        return (
            f"What is right for {what} has changed{self._since()}: {counted}. Nothing about the sound or the model "
            f"has. Have 20 of them labelled (parrotlet-cloud label), then correct the domain."
        )

    def _since(self) -> str:
        if self.since_unix_us is None:
            return ""
        began = datetime.fromtimestamp(self.since_unix_us / 1e6)
        return f" since {began.day} {began:%B %H:%M}"


_NAMES = {"all": "what is answered", "intent": "intent {}", "entry": "entry {}", "word": '"{}"'}


class Over(NamedTuple):
    """What was told is right again, or has become so."""

    concept: Concept
    at_unix_us: int | None


class _Row(NamedTuple):
    """An answer that counted."""

    keys: tuple[Key, ...]
    facts: Facts
    happened: float
    promised: float
    """Probability."""
    is_label: bool


class ConceptWatch:
    """Of all answers by one domain."""

    def __init__(self, promises: Promises, *, run_length: float = RUN_LENGTH) -> None:
        self._promises = promises
        self._run_length = run_length
        self.standing: dict[Key, Concept] = {}
        """What was told, and is not over. Until then its answers count for nothing else."""
        self._over: dict[Key, float] = {}
        self._versions: dict[str, str | None] = {}
        self._updates: dict[str, tuple[Update, Wager]] = {}
        self._wagers: dict[str, OrderedDict[Key, Wager]] = {kind: OrderedDict() for kind in SHARES}
        kinds = {kind: max(1, sum(key[0] == kind for key in promises.shares)) for kind in SHARES}
        self._known = {kind: count / SHARES[kind] for kind, count in kinds.items()}
        self._recent: deque[_Row] = deque(maxlen=RECENT_MAX)

    def push(self, seen: Seen) -> "Concept | Over | None":
        """An answer of which it is known by now whether somebody complained."""
        if seen.is_chosen:
            return None
        return self._take(seen, seen.complaint, is_label=False)

    def label(self, seen: Seen, wrong: float) -> "Concept | Over | None":
        """A label came for an answer that was chosen; 0 to 1."""
        return self._take(seen, wrong, is_label=True)

    def _take(self, seen: Seen, happened: float, *, is_label: bool) -> "Concept | Over | None":
        if not self._promises.counts(seen.facts):
            return None
        promised = self._promises.wrong(seen.facts) if is_label else self._promises.complaint(seen.facts)
        row = _Row(keys_of(seen), seen.facts, happened, promised, is_label)
        if (key := next((key for key in row.keys if key in self.standing), None)) is not None:
            return self._is_over(key, row)
        self._recent.append(row)
        if (updated := self._updated(row)) is not None:
            return updated
        loudest: Key | None = None
        for key in row.keys:
            wager = self._wager(key)
            wager.push(happened, self._promises.most(promised, key))
            if wager.evidence >= self._needed(key):
                loudest = loudest or key
        if loudest is None or (found := self._concept(loudest)) is None:
            return None
        return self._stand(found)

    def _updated(self, row: _Row) -> Concept | None:
        """Of another version the beginning is known: so much less it takes to say that it went wrong."""
        for what in SERVED:
            now, before = getattr(row.facts, what), self._versions.get(what)
            self._versions[what] = now or before
            if now is not None and before is not None and now != before:
                self._updates[what] = Update(what, before, now), Wager()
            if what not in self._updates:
                continue
            update, wager = self._updates[what]
            wager.push(row.happened, self._promises.usual(row.promised))
            if wager.times > VERSION_TIMES:
                del self._updates[what]
            elif wager.since_start >= VERSION_EVIDENCE:
                rows = [one for one in self._recent if getattr(one.facts, what) == now]
                return self._stand(self._told(ALL, rows, math.log(wager.since_start / VERSION_EVIDENCE), update))
        return None

    def _stand(self, found: Concept) -> Concept:
        self._forget_evidence()
        self._updates.clear()
        self.standing[found.key] = found
        self._over[found.key] = 0.0
        self._recent = deque((row for row in self._recent if found.key not in row.keys), RECENT_MAX)
        return found

    def _is_over(self, key: Key, row: _Row) -> "Over | None":
        """Wald's test (1945) of what was told against what is promised."""
        told = self.standing[key]
        promised = self._promises.most(row.promised, key)
        # By luck it was told sooner than its rate would have it.
        now = min(max(told.wrong / told.answers / 2, 2 * promised), 0.95)
        likelier = row.happened * math.log(promised / now) + (1 - row.happened) * math.log((1 - promised) / (1 - now))
        self._over[key] = max(0.0, self._over[key] + likelier)
        if self._over[key] < math.log(OVER):
            return None
        del self.standing[key], self._over[key]
        return Over(told, row.facts.at_unix_us)

    def _needed(self, key: Key) -> float:
        """Evidence: the key's part of all false alarms, in its own times."""
        known = self._known[key[0]]
        return self._run_length * max(self._promises.shares.get(key, 0.0), RAREST) * known

    def _wager(self, key: Key) -> Wager:
        of_kind = self._wagers[key[0]]
        wager = of_kind.setdefault(key, Wager())
        of_kind.move_to_end(key)
        if len(of_kind) > KEYS_MAX[key[0]]:
            of_kind.popitem(last=False)
        return wager

    def _forget_evidence(self) -> None:
        for of_kind in self._wagers.values():
            of_kind.clear()

    def _concept(self, loudest: Key) -> Concept | None:
        """The key that says most for least; None: too little has happened yet."""
        candidates = {key for row in self._recent if row.happened >= SHOWN for key in row.keys}
        runs = {key: self._run(key) for key in candidates}
        if not runs:
            return None
        # The loudest of many may be so by luck: as many as there are, so much more it takes.
        worth = {key: run.evidence - math.log(self._needed(key)) for key, run in runs.items()}
        near = [key for key in runs if worth[key] >= max(worth.values()) - AS_GOOD]
        key = min(near, key=lambda one: (len(runs[one].before) + len(runs[one].rows), -worth[one], one))
        if sum(row.happened for row in runs[key].rows) < WRONG_MIN:
            return None
        if (update := _update(runs[key])) is not None:
            rows = [row for row in self._recent if getattr(row.facts, update.what) == update.after]
            return self._told(ALL, rows, worth[key], update, mostly=key)
        return self._told(key, runs[key].rows, worth[key])

    def _told(
        self, key: Key, rows: list[_Row], evidence: float, update: Update | None = None, mostly: Key | None = None
    ) -> Concept:
        return Concept(
            kind="meaning" if update is None else "update",
            key=key,
            mostly=mostly if mostly != key else None,
            since_unix_us=rows[0].facts.at_unix_us,
            answers=len(rows),
            wrong=round(sum(row.happened for row in rows), 1),
            promised=round(sum(self._promises.most(row.promised, key) for row in rows), 2),
            labels=sum(row.is_label for row in rows),
            confidence=round(sum(row.facts.confidence or 0.0 for row in rows) / len(rows), 2),
            evidence=round(evidence, 2),
            update=update,
            utterance_ids=tuple((row.facts.device_id, row.facts.utterance_id) for row in rows if row.happened >= SHOWN),
        )

    def _run(self, key: Key) -> "_Run":
        """The likeliest beginning of a change of a key (CUSUM, Page 1954), and what has come since."""
        rows = [row for row in self._recent if key in row.keys]
        promised = [self._promises.most(row.promised, key) for row in rows]
        best, start = 0.0, len(rows)
        for odds in ODDS:
            total, since = 0.0, 0
            for place, row in enumerate(rows):
                total += gain(row.happened, promised[place], odds)
                if total <= 0:
                    total, since = 0.0, place + 1
            if total > best:
                best, start = total, since
        return _Run(best, rows[:start], rows[start:])


class _Run(NamedTuple):
    evidence: float
    """A natural logarithm."""
    before: list[_Row]
    rows: list[_Row]
    """Since the likeliest beginning."""


def keys_of(seen: Seen) -> tuple[Key, ...]:
    """What an answer is one of."""
    keys: list[Key] = [ALL]
    if seen.facts.intent is not None:
        keys.append(("intent", seen.facts.intent))
    if seen.entry is not None:
        keys.append(("entry", seen.entry))
    keys += [("word", word) for word in dict.fromkeys(seen.words)]
    return tuple(keys)


def _update(run: _Run) -> Update | None:
    """The other version, if it came within two days of when answers began to be wrong, and most were wrong with it."""
    if not run.rows:
        return None
    began, rows = run.rows[0].facts, [*run.before, *run.rows]
    for what in VERSIONS:
        now = getattr(run.rows[-1].facts, what)
        place = next((place for place, row in enumerate(rows) if getattr(row.facts, what) == now), 0)
        if now is None or place == 0 or (before := getattr(rows[place - 1].facts, what)) is None:
            continue
        since = rows[place].facts
        if since.at_unix_us is None or began.at_unix_us is None:
            is_near = abs(len(run.before) - place) <= AROUND_VERSION
        else:
            is_near = abs(began.at_unix_us - since.at_unix_us) <= AROUND_VERSION_US
        with_it = sum(row.happened for row in run.rows if getattr(row.facts, what) == now)
        if is_near and with_it >= WITH_VERSION * sum(row.happened for row in run.rows):
            return Update(what, str(before), str(now))
    return None
