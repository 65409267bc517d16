"""Transcripts made from patterns: one set of patterns to tune the linter with, another to measure it by."""

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from models.labels.duplicates import is_near
from models.labels.writing import words


class Patterns(NamedTuple):
    """Sentences with slots `{name}`, and what can stand in each."""

    sentences: Sequence[str]
    slots: dict[str, Sequence[str]]


def _of(words: str) -> list[str]:
    return [word.strip() for word in words.split("|")]


TUNE = Patterns(
    _of(
        "Turn the {colour} lamp in the {room} {way} in {number} minutes.|"
        "I'd like {number} {thing}s and a {colour} {thing} for the {room}, please.|"
        "What's the weather like in {place} {day} at {number}?|"
        "{name} doesn't organise the {thing}s in the {room} before {day}.|"
        "Um, could you remind {name} about the {thing} in {place} {day}?|"
        "My favourite {thing} is {number} metres from the {room} door.|"
        "Don't forget that {name} travelled to {place} with {number} {thing}s.|"
        "Where did {name} leave the {colour} {thing} {day}?|"
        "Set an alarm for {number} minutes, uh, and call {name} in {place}.|"
        "The theatre in {place} isn't open {day}, but the {room} is.|"
        "We can't hear {name} in the {room} when the {thing} is on.|"
        "How many {thing}s are there in the {colour} box of {name}?"
    ),
    {
        "colour": _of("red|green|grey|yellow|purple|orange|silver|golden|brown|white|colourful|turquoise"),
        "room": _of("kitchen|bedroom|cellar|garden|hall|office|bathroom|garage|attic|parlour|centre|library"),
        "way": _of("on|off|up a little|down a little|to half|brighter"),
        "number": _of("two|three|five|seven|ten|twelve|fifteen|twenty-one|thirty|forty-five|sixty|ninety"),
        "thing": _of("timer|window|speaker|blanket|curtain|basket|camera|candle|bottle|carpet|mirror|radiator"),
        "place": _of("Berlin|London|Madrid|Vienna|Dublin|Oslo|Lisbon|Prague|Athens|Warsaw"),
        "name": _of("Ann|Peter|Maria|George|Helen|Martin|Sophie|Thomas|Laura|Victor"),
        "day": _of("today|tomorrow|on Monday|on Friday|next week|tonight|this morning|on Sunday"),
    },
)

TEST = Patterns(
    _of(
        "Please put {number} {food}s on the {list} list for {person} {time}.|"
        "Er, when does the {vehicle} from {city} arrive {time}?|"
        "{person} won't travel by {vehicle} to {city} until {number} {food}s are sold.|"
        "Play the {mood} song by {person} in the {spot} for {number} minutes.|"
        "The {vehicle} stops {number} kilometres before the city centre of {city}.|"
        "I'm not sure whether {person} realised that the {spot} was closed {time}.|"
        "Which {food} has the {mood} flavour that {person} likes?|"
        "There are {number} {food}s, um, and one {mood} neighbour in the {spot}.|"
        "Can you find a {mood} programme about {city} for {person} {time}?|"
        "It's {number} degrees in {city}, and {person} hasn't left the {spot}.|"
        "Tell {person} that the {mood} {vehicle} to {city} was cancelled {time}.|"
        "You're allowed to recognise {number} {vehicle}s in the {spot}, aren't you?|"
        "Why is the {food} at the {spot} so {mood} {time}?"
    ),
    {
        "food": _of("apple|carrot|sandwich|pancake|lemon|muffin|biscuit|melon|pepper|onion|cookie|pretzel"),
        "list": _of("shopping|birthday|holiday|packing|kitchen|party|garden|weekend"),
        "person": _of("Oliver|Emma|Daniel|Charlotte|Henry|Alice|Robert|Julia|Simon|Nora"),
        "time": _of("tomorrow|tonight|on Tuesday|on Saturday|after lunch|before breakfast|next month|at noon"),
        "vehicle": _of("train|ferry|tram|coach|bicycle|minibus|taxi|lorry|steamer|scooter"),
        "city": _of("Rome|Paris|Geneva|Bristol|Hamburg|Zurich|Leeds|Naples|Toronto|Sydney"),
        "mood": _of("gentle|funny|famous|strange|quiet|lovely|honest|lonely|perfect|clever|splendid|grey"),
        "spot": _of("station|market|museum|harbour|restaurant|playground|theatre|courtyard|stadium|bakery"),
        "number": _of("four|six|eight|nine|eleven|fourteen|sixteen|twenty|thirty-two|fifty|seventy|eighty-five"),
    },
)


def texts(patterns: Patterns, count: int, draw: random.Random, spoken: Sequence[str] = ()) -> list[str]:
    """So many different texts, none nearly another; those `spoken` first."""
    found: list[str] = []
    forms: dict[int, list[tuple[str, ...]]] = {}
    for text in _endless(patterns, draw, spoken):
        said = tuple(words(text))
        keys = [hash(said)] + [hash((*said[:at], *said[at + 1 :])) for at in range(len(said))]
        if any(other == said or is_near(other, said) for key in keys for other in forms.get(key, ())):
            continue
        for key in keys:
            forms.setdefault(key, []).append(said)
        found.append(text)
        if len(found) == count:
            return found
    raise AssertionError("the patterns have no end")


def _endless(patterns: Patterns, draw: random.Random, spoken: Sequence[str]) -> Iterator[str]:
    yield from spoken
    while True:
        text = draw.choice(patterns.sentences)
        while "{" in text:
            slot = text[text.index("{") + 1 : text.index("}")]
            text = text.replace("{" + slot + "}", draw.choice(patterns.slots[slot]), 1)
        yield text[0].upper() + text[1:]
