"""From what engines heard to what was meant, and how sure that is."""

import pytest

from cloud.building.commands import Commands, Named, compile_commands
from cloud.building.commands_text import parse_commands
from cloud.decoders import Hypothesis, Sentence
from cloud.understanding.confidence import Evidence, confidence
from cloud.understanding.network import Following
from cloud.understanding.understand import Outcome, understand
from cloud.understanding.written import spoken_words

HOME = """
intents:
  lightOn: {data: [{sentences: ["turn on the {room} light"], requires: [room], ask: 0.2}]}
  open: {data: [{sentences: ["open the {door}"], sure: 0.99, ask: 0.5}]}
  count: {data: [{sentences: ["count to {0..99:to}"]}]}
  odd: {data: [{sentences: ["say [{room}]"], forbids: [room]}]}
lists:
  room: {values: [hall, mall]}
  door: {values: [front door]}
"""


@pytest.fixture(scope="module")
def home() -> Commands:
    return compile_commands(parse_commands(HOME), [Named((), "Front door", "front-door")])


def whisper(*sentences: tuple[str, float], free: float = -1.0, written: str = "") -> Hypothesis:
    heard = tuple(Sentence(text, score) for text, score in sentences)
    return Hypothesis("whisper", "tiny.en", written, sentences=heard, free_score=free if heard else None)


def sphinx(text: str, score: float = -15.0) -> Hypothesis:
    return Hypothesis("pocketsphinx", "en-us", "", sentences=(Sentence(text, score),))


def outcome(home: Commands, *hypotheses: Hypothesis) -> Outcome:
    return understand(Following(home.network), home.blocks, hypotheses)


def test_the_likeliest_sentence_is_what_was_meant(home: Commands) -> None:
    found = outcome(home, whisper(("turn on the hall light", -1.2), ("turn on the mall light", -6.0)))
    assert found.understood is not None
    assert found.understood.block.intent == "lightOn"
    assert found.understood.meaning.slots == {"room": "hall"}
    assert (found.understood.text, found.understood.engine) == ("turn on the hall light", "whisper")
    assert found.understood.confidence > 0.9
    assert found.is_command
    assert found.choices == ()


def test_what_would_be_heard_freely_is_much_likelier_so_it_is_no_command(home: Commands) -> None:
    found = outcome(home, whisper(("turn on the hall light", -30.0), free=-3.0))
    assert found.understood is None
    assert found.choices == ()
    assert "to act takes 50%" in found.explanation[-1]


def test_between_two_that_are_about_as_likely_it_is_asked(home: Commands) -> None:
    found = outcome(home, whisper(("turn on the hall light", -1.0), ("turn on the mall light", -1.0)))
    assert found.understood is None
    assert [choice.meaning.slots["room"] for choice in found.choices] == ["hall", "mall"]
    assert 0.2 <= found.choices[0].confidence < 0.5


def test_another_engine_that_heard_the_same_decides_between_them(home: Commands) -> None:
    found = outcome(
        home,
        sphinx("turn on the mall light"),
        whisper(("turn on the hall light", -2.0), ("turn on the mall light", -2.5)),
    )
    assert found.understood is not None
    assert found.understood.meaning.slots == {"room": "mall"}
    contradicted = outcome(home, sphinx("open the front door"), whisper(("turn on the hall light", -2.0)))
    alone = outcome(home, whisper(("turn on the hall light", -2.0)))
    agreed = outcome(home, sphinx("turn on the hall light"), whisper(("turn on the hall light", -2.0)))
    sure = [found.understood.confidence for found in (contradicted, alone, agreed) if found.understood]
    assert sure == sorted(sure)
    assert len(set(sure)) == 3


def test_an_engine_that_compares_with_nothing_is_believed_as_far_as_it_fits(home: Commands) -> None:
    well, badly = outcome(home, sphinx("turn on the hall light", -12.0)), outcome(home, sphinx("count to two", -60.0))
    assert well.understood is not None
    assert well.understood.engine == "pocketsphinx"
    assert badly.understood is None


def test_where_a_mistake_is_dear_it_takes_more(home: Commands) -> None:
    unsure = outcome(home, whisper(("open the front door", -8.0)))
    assert unsure.understood is None
    assert "to act takes 99%" in unsure.explanation[-1]


def test_what_an_engine_wrote_may_be_a_sentence_too(home: Commands) -> None:
    found = outcome(home, whisper(written="Count to 25."))
    assert found.understood is not None
    assert found.understood.meaning.values == {"to": "25"}


def test_the_name_of_an_entry_is_understood_and_is_no_command(home: Commands) -> None:
    found = outcome(home, whisper(written="Front door."))
    assert found.understood is not None
    assert found.understood.meaning.values == {"entry": "front-door"}
    assert not found.is_command


def test_what_a_block_forbids_is_not_meant_by_it(home: Commands) -> None:
    assert outcome(home, whisper(written="say")).understood is not None
    assert outcome(home, whisper(written="say hall")).understood is None
    assert outcome(home).explanation == outcome(home, whisper()).explanation


def test_confidence_rises_with_the_evidence() -> None:
    def of(
        fit: float | None,
        share: float = 1.0,
        likeness: float | None = None,
        *,
        likelihood: float = -1.0,
        missing: int = 0,
        contradicted: bool = False,
    ) -> float:
        return confidence(Evidence(fit, likelihood, missing, share, likeness, contradicted))

    assert 0 < of(-4) < of(-2) < of(-1) < of(0) == of(1) < 1
    assert of(-1, contradicted=True) < of(-1) < of(-1, likeness=-20)
    assert of(-1, missing=3) < of(-1)
    # However little there is that would be likelier.
    assert of(0, likelihood=-7) < 0.01 < of(0, likelihood=-3) < of(0)
    assert of(None, likeness=-60) < of(None, likeness=-30) < of(None, likeness=-10)
    # Of two that are as likely as each other, neither can be surer than one in two.
    assert of(0, share=0.5, likeness=-10) < 0.5


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("A 12-ounce latte, please!", "a twelve ounce latte please"),
        ("It’s 50% O.K.", "it's fifty percent o.k"),
        ("Set it to 105", "set it to one hundred five"),
        ("Zürich", "zürich"),
        ("", ""),
        ("...", ""),
    ],
)
def test_what_was_written_becomes_words(written: str, words: str) -> None:
    assert spoken_words(written) == words.split()
