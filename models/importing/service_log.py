"""The service's own log, as JSON lines (`parrotlet-cloud log export`): what boards heard, what was answered, and what
people said of it.

    {"device_id": "kitchen", "utterance_id": "…", "transcript": "play jazz", "results": ["music-jazz"],
     "audio": "kept/0001.flac", "feedback": [{"verdict": "wrong", "said": "play chess", "given_by": "ab12"}]}

`audio` is the path of the sound from the log's folder; where it is not there, the sound is looked for by the id of the
utterance. What a person wrote is the text; what they called right is the transcript that they saw; the rest is what a
machine believes, and is taken only when asked for. People who contradict each other are named, and left out. Who
labelled it (`parrotlet-cloud label`) is its transcriber, and is believed before all who did not; `label_chance`, with
which it was drawn for that, becomes a figure of the clip. A board stands for its speakers: nobody knows them better.
Logs of several services may be put together: what they tell of one utterance is taken as one.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from models.data.clip import Clip
from models.importing.feedback import Answered, Feedback, Word, agree, last_words, word
from models.importing.told import NOT_TEXT, SOUND_SUFFIXES, Fault, Place, Told, is_text, lines
from models.importing.utterance_labels import Key, UtteranceLabel
from models.labels.agreement import Agreement
from models.labels.definition import Definition
from models.labels.fillers import FillerConvention
from models.labels.writing import words
from models.own.wanted import slug
from models.training.recipe import Recipe

PERSON = "feedback"
MACHINE = "service"
"""Who transcribed it."""
HOW = "feedback"
"""The slice that says how a person told what a clip is; none of what was written in a file of labels."""
BOARD = "board"
"""The slice that says which board heard a clip."""
CHANCE = "label_chance"
"""The figure of a clip that was drawn for a label and got one: with which probability. It stands for 1 / that many."""


class Choice(msgspec.Struct, frozen=True):
    """One of two things that may have been meant."""

    transcript: str


class LogLine(msgspec.Struct, frozen=True):
    """An utterance; what else a line has is passed over."""

    device_id: str
    utterance_id: str
    transcript: str | None = None
    results: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    audio: str | None = None
    feedback: Feedback | tuple[Feedback, ...] | None = None
    label_chance: float | None = None

    @property
    def answered(self) -> Answered:
        return Answered(self.transcript, self.results, tuple(choice.transcript for choice in self.choices))

    @property
    def said(self) -> tuple[Feedback, ...]:
        if self.feedback is None:
            return ()
        return (self.feedback,) if isinstance(self.feedback, Feedback) else self.feedback


class Logged(NamedTuple):
    """An utterance, as all logs tell it that had it."""

    place: Place
    lines: list[LogLine]


class Taking(NamedTuple):
    """What is wanted of a log."""

    unheard: bool = False
    """Also what nobody said anything of."""
    sound: Path | None = None
    """A folder of sound, each called as its utterance."""
    recipe: Recipe | None = None
    """Whose labels clips get where somebody says which."""
    definition: Definition = Definition()
    """Which texts are the same words."""
    labels: Mapping[Key, tuple[Place, UtteranceLabel]] = {}
    """Of those who were asked to listen: they outweigh what was said in passing."""
    exact: bool = False
    """Whether commands are said in their own words alone: what who labels wrote otherwise is none of them."""


def read_service_log(file: Path, taking: Taking) -> Iterator[Told | Fault]:
    """Utterances whose sound was kept and of which a person said what it is."""
    logged: dict[tuple[str, str], Logged] = {}
    decoder = msgspec.json.Decoder(LogLine)
    for number, text in lines(file):
        place = Place(file, number)
        if not text.strip():
            continue
        if not is_text(text):
            yield Fault(place, NOT_TEXT)
            continue
        try:
            line = decoder.decode(text)
        except msgspec.DecodeError as error:
            yield Fault(place, f"this is no utterance of a log: {error}")
            continue
        logged.setdefault((line.device_id, line.utterance_id), Logged(place, [])).lines.append(line)
    sounds = _sounds(taking.sound)
    for one in logged.values():
        if (told := _told(one, sounds, taking)) is not None:
            yield told
    for key, (place, label) in taking.labels.items():
        if key not in logged and key[1] in sounds:
            yield Told(place, str(sounds[key[1]]), _labelled(label, taking), slices={BOARD: key[0]})


def _told(logged: Logged, sounds: Mapping[str, Path], taking: Taking) -> Told | Fault | None:
    """None where it is of no use: nobody knows what was said, or there is no sound."""
    first = logged.lines[0]
    path = next((line.audio for line in logged.lines if line.audio is not None), None)
    if path is None and first.utterance_id in sounds:
        path = str(sounds[first.utterance_id])
    board = {BOARD: first.device_id}
    if (label := taking.labels.get((first.device_id, first.utterance_id))) is not None:
        if path is None:
            return None
        return Told(logged.place, path, _labelled(label[1], taking), measured=_chance(logged), slices=board)
    said = last_words(said for line in logged.lines for said in line.said)
    each = (word(one, line.answered) for one in said for line in logged.lines)
    held = sorted(filter(None, each), key=lambda one: one.labeller is None)
    labelled = [one for one in held if one.labeller is not None]
    if not _agree(held, taking.definition):
        if not labelled or not _agree(labelled, taking.definition):
            both = "; ".join(dict.fromkeys(map(str, held)))
            return Fault(logged.place, f"{first.utterance_id} of {first.device_id}: people do not agree: {both}", path)
        held = labelled
    values = _values(held, taking) or (_believed(first, taking) if taking.unheard and not held else {})
    if path is None or not values:
        return None
    how = {HOW: _teller(held).how} if held else {}
    chance = _chance(logged) if labelled else {}
    return Told(logged.place, path, values | {"speaker": first.device_id}, measured=chance, slices=how | board)


def _chance(logged: Logged) -> dict[str, str]:
    """With which it was drawn; of none that somebody picked."""
    chance = next((line.label_chance for line in logged.lines if line.label_chance), None)
    return {} if chance is None else {CHANCE: repr(chance)}


def _labelled(label: UtteranceLabel, taking: Taking) -> dict[str, str]:
    """By who was asked: the class that they named, else that of their words."""
    found = label.label or _label(label.text, taking) or (_other(taking) if label.text else None)
    return label.values | ({"label": found} if found else {})


def _values(held: list[Word], taking: Taking) -> dict[str, str]:
    """Text and label by a person's word, the first who has one; empty where none of them knows."""
    text = next((word.text for word in held if word.text is not None), None)
    meant = next((word.meant for word in held if word.meant is not None), None)
    choice = next((word.choice for word in held if word.choice is not None), None)
    label = _label(text, taking) or _label(choice, taking) or _label_of_result(meant, taking.recipe)
    if (label, choice, meant) == (None, None, None) and any(map(_knows_all, held)):
        label = _other(taking)
    known = {name: value for name, value in (("text", text), ("label", label)) if value}
    return known | {"transcriber": _teller(held).labeller or PERSON} if known else {}


def _teller(held: list[Word]) -> Word:
    """Whose text it is; where nobody has one, whose word comes first."""
    return next((word for word in held if word.text is not None), held[0])


def _believed(line: LogLine, taking: Taking) -> dict[str, str]:
    """The same by the service's."""
    if not line.transcript:
        return {}
    label = _label(line.transcript, taking)
    return {"text": line.transcript, "transcriber": MACHINE} | ({"label": label} if label else {})


def wrote(clip: Clip) -> bool:
    """Whether a clip's text is the writing of a transcriber, who is to write as agreed: who calls an answer right
    leaves it in the service's, and who says something in passing agreed on nothing."""
    return clip.transcriber not in (PERSON, MACHINE) and clip.slices.get(HOW, "said") == "said"


def _label(text: str | None, taking: Taking) -> str | None:
    """Of a command whose words these are, whatever "um" is among them. It may be said in others: whether those are
    none, nobody knows."""
    if not text or taking.recipe is None:
        return None
    said = FillerConvention(taking.definition).strip(text)
    for label, command in taking.recipe.commands.items():
        if words(command.text) == words(said):
            return label
    return slug(said) if slug(said) in taking.recipe.labels else None


def _knows_all(word: Word) -> bool:
    """Whether it is of somebody who labels and knows what was said, or that nothing was to be heard."""
    return word.labeller is not None and (word.text is not None or word.verdict == "right")


def _other(taking: Taking) -> str | None:
    """The class of what is no command, where commands are said in their own words alone."""
    return taking.recipe.other if taking.exact and taking.recipe is not None else None


def _label_of_result(result_id: str | None, recipe: Recipe | None) -> str | None:
    if recipe is None or result_id is None:
        return None
    return next((label for label, command in recipe.commands.items() if command.id and command.id == result_id), None)


def _agree(held: list[Word], definition: Definition) -> bool:
    """Whether all of them can be true."""
    return agree(held, lambda text: _same(text, held, definition))


def _same(text: str, held: list[Word], definition: Definition) -> str:
    """Equal for texts of the same words, by the agreement."""
    agreement = Agreement(definition, [said for word in held for said in (word.text, word.not_text) if said])
    return " ".join(words(agreement.meant(text)))


def _sounds(folder: Path | None) -> dict[str, Path]:
    """By utterance, wherever they lie in it."""
    if folder is None:
        return {}
    found = sorted(path for path in folder.resolve().rglob("*") if path.suffix.lower() in SOUND_SUFFIXES)
    return {path.stem: path for path in found if not path.name.startswith(".")}
