"""The whole of data drift as one object: facts go in, findings come out, and what it knows is kept.

Each board is watched by itself, its group and all boards by what the boards' own scores have in common; of each domain
the words that it lacks. The bound on false alarms is of all of them together, each has a share of it.
"""

from collections import OrderedDict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence

import msgspec

from cloud.drift.board import Board, BoardState, Known
from cloud.drift.causes import words
from cloud.drift.causes.naming import causes_of
from cloud.drift.change import Change
from cloud.drift.facts import Facts
from cloud.drift.finding import Finding
from cloud.drift.group import Group, GroupState
from cloud.drift.new_words import NewWords, NewWordsState
from cloud.drift.watcher import Recovered, Renamed, Told, Watcher

RUN_LENGTH = 2000.0
"""Utterances to a false alarm, of all streams together, at least and on the average."""
SHARES = {"board": 0.5, "group": 0.1, "all": 0.1, "words": 0.3}
SAFETY = {"board": 1.0, "group": 3.0, "all": 3.0, "words": 3.0}
"""So many times the evidence, where real streams are less tame than the theory. Recordings for tuning had one false
alarm of a board in about 4,000 utterances without it; of words they had too many at 1."""

ALL = "All boards"
WORDS = "Words of "
BOARDS_MAX = 1000
"""Of more, the one that was silent longest is forgotten; 0.1 MB each."""

KnowsWord = Callable[[str], bool]
Transcripts = Callable[[Sequence[tuple[str, str]]], Iterable[str]]
"""Reads the log: what was said in these utterances (device, utterance)."""


class Watch:
    """Belongs to one thread."""

    def __init__(
        self,
        *,
        group_of: Callable[[str], str | None] = lambda device_id: None,
        known: Known | None = None,
        transcripts: Transcripts | None = None,
        knows_word: KnowsWord | None = None,
        pronounces: words.Pronounces | None = None,
        run_length: float = RUN_LENGTH,
    ) -> None:
        """`group_of`: the group of a board. `known`: what is usual for boards that are new, from a model's card; None:
        each learns by itself first. `transcripts`, `knows_word` and `pronounces` are asked only where new words
        rise."""
        self.number = 0
        """Of the log's newest line that was seen; whoever kept it goes on behind it."""
        self.boards: OrderedDict[str, Board] = OrderedDict()
        self.groups: dict[str, Group] = {}
        self.words: dict[str, NewWords] = {}
        """By domain."""
        self._group_of = group_of
        self._known = known
        self._transcripts = transcripts
        self._knows_word = knows_word
        self._pronounces = pronounces
        self._run_length = run_length
        self._touched: set[str] = set()

    def saw(self, facts: Facts, number: int = 0, unknown_words: Iterable[str] = ()) -> list[Finding]:
        """What an utterance brings about, of its board, its group and all. What the spool sent late says nothing of
        now, and is left out. `number`: of its line in the log. `unknown_words`: of its transcript, those that the
        domain lacks, in small letters (words.unknown_in has them)."""
        self.number = max(self.number, number)
        if facts.replayed:
            return []
        return self._saw(facts) + self._saw_words(facts, unknown_words)

    def _saw(self, facts: Facts) -> list[Finding]:
        board = self._board(facts.device_id)
        was_changed = board.watcher is not None and board.watcher.change is not None
        seen, what = board.push(facts)
        found = self._findings(facts.device_id, what)
        if seen is None or board.known is None or was_changed or found:
            return self._told(found)
        for group in self._groups(facts.device_id):
            what = group.push(seen, board.known.usual.means)
            found += self._findings(group.name, what)
        return self._told(found)

    def _saw_words(self, facts: Facts, unknown_words: Iterable[str]) -> list[Finding]:
        name = WORDS + (facts.domain or "")
        if name not in self.words:
            self.words[name] = NewWords(self._wanted("words"))
        self._touched.add(name)
        rising = self.words[name].push(facts.device_id, facts.at_unix_us, unknown_words)
        changes = [words.change_of(one, facts.at_unix_us, ALL) for one in rising]
        return [
            Finding(
                "changed",
                change.stream,
                facts.at_unix_us,
                change,
                (words.cause_of(change, self._pronounces),),
                is_word=True,
            )
            for change in changes
        ]

    def learn_anew(self, stream: str) -> list[Finding]:
        """Forgets what was usual for a board; or for a group, and for those of its boards that have changed, which say
        nothing of it while they have. What was known of these is over."""
        found = []
        for device_id, board in self.boards.items():
            if device_id != stream and stream not in self._names(device_id):
                continue
            change = board.watcher.change if board.watcher is not None else None
            if device_id == stream or change is not None:
                board.learn_anew()
                self._touched.add(device_id)
            if device_id != stream and change is not None:
                found.append(_recovered(device_id, change, change.told_at_unix_us))
        if stream in self.groups:
            self.groups[stream].learn_anew()
            self._touched.add(stream)
        return found

    def forget(self, device_id: str) -> None:
        """Erases what is known of a board."""
        self.boards.pop(device_id, None)
        for group in self.groups.values():
            group.forget(device_id)
        self._touched.update((device_id, *self.groups))
        self.forget_words(device_id)

    def forget_words(self, device_id: str, but: Container[str] = ()) -> None:
        """Erases which words a board heard, all but some."""
        for new_words in self.words.values():
            new_words.forget(device_id, but)
        self._touched.update(self.words)
        for stream in (device_id, *self.groups):
            watcher = self._watcher(stream)
            if watcher is not None and watcher.change is not None and watcher.change.new_words:
                left = tuple(one for one in watcher.change.new_words if one[0] in but)
                watcher.change = msgspec.structs.replace(watcher.change, new_words=left)
                self._touched.add(stream)

    def changes(self) -> list[Change]:
        """All that are not over."""
        watchers = [self._watcher(stream) for stream in (*self.boards, *self.groups)]
        return [watcher.change for watcher in watchers if watcher is not None and watcher.change is not None]

    def touched(self) -> dict[str, bytes | None]:
        """What is to be kept since it was last asked for, by the stream's name; None: it is erased."""
        kept: dict[str, bytes | None] = {}
        for stream in self._touched:
            if stream in self.words:
                kept[stream] = msgspec.msgpack.encode(self.words[stream].state)
                continue
            one = self.groups.get(stream) or self.boards.get(stream)
            kept[stream] = None if one is None else msgspec.msgpack.encode(one.state())
        self._touched.clear()
        return kept

    def touch(self, streams: Iterable[str]) -> None:
        """They were not kept, after all."""
        self._touched.update(streams)

    def go_on(self, number: int, kept: Iterable[tuple[str, bytes]]) -> None:
        """As it was when that was kept. msgspec.DecodeError if it is damaged."""
        self.number = number
        for stream, state in kept:
            if stream.startswith(WORDS):
                known = msgspec.msgpack.decode(state, type=NewWordsState)
                self.words[stream] = NewWords(self._wanted("words"), known)
            elif _is_group(stream):
                self._group(stream).go_on(msgspec.msgpack.decode(state, type=GroupState))
            else:
                self._board(stream).go_on(msgspec.msgpack.decode(state, type=BoardState))
        self._touched.clear()

    def _board(self, device_id: str) -> Board:
        board = self.boards.get(device_id)
        if board is None:
            board = self.boards[device_id] = Board(device_id, self._wanted("board"), self._known)
        self.boards.move_to_end(device_id)
        self._touched.add(device_id)
        while len(self.boards) > BOARDS_MAX:
            self._touched.add(self.boards.popitem(last=False)[0])
        return board

    def _groups(self, device_id: str) -> list[Group]:
        return [self._group(one) for one in self._names(device_id)]

    def _names(self, device_id: str) -> list[str]:
        """Of the groups of a board."""
        name = self._group_of(device_id)
        return ([f"Group {name}"] if name else []) + [ALL]

    def _group(self, name: str) -> Group:
        self._touched.add(name)
        if name not in self.groups:
            self.groups[name] = Group(name, self._wanted("all" if name == ALL else "group"))
        return self.groups[name]

    def _wanted(self, kind: str) -> float:
        """Evidence of a change of one of SHARES."""
        return SAFETY[kind] * self._run_length / SHARES[kind]

    def _watcher(self, stream: str) -> Watcher | None:
        one = self.groups.get(stream) or self.boards.get(stream)
        return None if one is None else one.watcher

    def _findings(self, stream: str, what: Told | None) -> list[Finding]:
        match what:
            case None:
                return []
            case Recovered(change, at_unix_us):
                return [_recovered(stream, change, at_unix_us)]
            case Renamed(before, change):
                # One cause stands at a time.
                return [_recovered(stream, before, change.told_at_unix_us), self._changed(stream, change)]
        return [self._changed(stream, what)]

    def _changed(self, stream: str, change: Change) -> Finding:
        change = self._with_words(change)
        causes = causes_of(change, self._pronounces)
        return Finding("changed", stream, change.told_at_unix_us, change, tuple(causes))

    def _with_words(self, change: Change) -> Change:
        """The words that rose are read from the log only if words are what changed: facts have none."""
        if self._transcripts is None or self._knows_word is None or words.find(change) is None:
            return change
        new = words.rising(self._transcripts(change.utterance_ids), self._knows_word)
        return msgspec.structs.replace(change, new_words=new)

    def _told(self, found: list[Finding]) -> list[Finding]:
        """Without what the same utterance tells twice, and what is known of all boards already; with what was, and is
        still so of a board."""
        watchers = [group.watcher for group in self.groups.values()]
        open_changes = [watcher.change for watcher in watchers if watcher is not None and watcher.change is not None]
        known = {causes_of(change)[0].name for change in open_changes}
        over = {one.cause.name for one in found if _is_group(one.stream) and one.kind == "recovered"} - known
        return [
            one
            for one in (*found, *(self._left(over) if over else ()))
            if _is_group(one.stream) or one.kind == "recovered" or one.cause.name not in known
        ]

    def _left(self, over: Container[str]) -> Iterator[Finding]:
        """What boards still are of these causes, which were no news while all boards were so."""
        for device_id, board in self.boards.items():
            change = board.watcher.change if board.watcher is not None else None
            if change is not None and (finding := self._changed(device_id, change)).cause.name in over:
                yield finding


def _recovered(stream: str, change: Change, at_unix_us: int | None) -> Finding:
    return Finding("recovered", stream, at_unix_us, change, tuple(causes_of(change)))


def _is_group(stream: str) -> bool:
    """A board's name has no spaces."""
    return " " in stream
