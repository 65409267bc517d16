from cloud.arbiter import ALTERNATIVES_MAX, SURE_ALONE, choose, decides_alone
from cloud.decoders import Alternative, Hypothesis, Sentence, Word
from cloud.understanding.block import Block
from cloud.understanding.parse import Meaning
from cloud.understanding.understand import Outcome, Understood

NOTHING = Outcome()
ORDER = Block("order", frozenset(), frozenset(), None, None, 0.5, 0.3)


def whisper(transcript: str, *doubts: str, sentences: tuple[str, ...] = ()) -> Hypothesis:
    words = (Word("so", 0, 100),) if transcript else ()
    heard = tuple(Sentence(text, -1.0) for text in sentences)
    return Hypothesis("whisper", "tiny.en", transcript, 0.8, words, doubts=doubts, sentences=heard)


def sphinx(transcript: str, *doubts: str, sentence: str = "", second_best: tuple[str, ...] = ()) -> Hypothesis:
    alternatives = tuple(Alternative(text, None, "pocketsphinx") for text in second_best)
    sentences = (Sentence(sentence, -10.0, (Word("timed", 10, 20),)),) if sentence else ()
    return Hypothesis(
        "pocketsphinx", "en-us", transcript, doubts=doubts, sentences=sentences, alternatives=alternatives
    )


def understood(engine: str, text: str, confidence: float = 0.9) -> Outcome:
    return Outcome(Understood(ORDER, Meaning(0, {}, {}, 0.0), text, engine, confidence))


def readings(hypothesis: Hypothesis) -> list[tuple[str, str]]:
    return [(reading.engine, reading.transcript) for reading in hypothesis.alternatives]


def test_what_is_understood_for_sure_waits_for_nobody() -> None:
    heard = sphinx("", sentence="a large latte")
    assert decides_alone(heard, understood("pocketsphinx", "a large latte", SURE_ALONE), has_commands=True)
    assert not decides_alone(heard, understood("pocketsphinx", "a large latte", 0.9), has_commands=True)
    assert not decides_alone(heard, NOTHING, has_commands=True)


def test_whispers_words_decide_alone_unless_a_command_may_yet_be_heard() -> None:
    assert decides_alone(whisper("A large latte."), NOTHING, has_commands=False)
    assert not decides_alone(whisper("A large latte."), NOTHING, has_commands=True)
    assert not decides_alone(whisper("A large latte", "log_probability"), NOTHING, has_commands=False)
    assert not decides_alone(whisper(""), NOTHING, has_commands=False)
    assert not decides_alone(sphinx("a large latte"), NOTHING, has_commands=False)


def test_rule_1_what_was_understood_is_the_answer_in_the_domains_words() -> None:
    hypotheses = [sphinx("", sentence="a light roast"), whisper("A light rose.", "log_probability")]
    chosen = choose(hypotheses, understood("pocketsphinx", "a light roast"))
    assert (chosen.engine, chosen.transcript, chosen.confidence) == ("pocketsphinx", "a light roast", 0.9)
    assert [word.text for word in chosen.words] == ["timed"]
    assert (chosen.doubts, readings(chosen)) == ((), [("whisper", "A light rose.")])


def test_words_are_timed_by_whoever_heard_the_same() -> None:
    hypotheses = [sphinx("", sentence="a latte"), whisper("A lah tay.", sentences=("a latte", "a mocha"))]
    chosen = choose(hypotheses, understood("whisper", "a latte"))
    assert (chosen.engine, [word.text for word in chosen.words]) == ("whisper", ["timed"])
    assert readings(chosen) == [("whisper", "A lah tay."), ("whisper", "a mocha")]
    assert choose([whisper("", sentences=("a mocha",))], understood("whisper", "a mocha")).words == ()


def test_rule_2_whispers_words_win_over_open_words_and_over_a_sentence_that_was_not_understood() -> None:
    for other in (sphinx("two days weather"), sphinx("", sentence="a tea")):
        chosen = choose([other, whisper("Today's weather.")], NOTHING)
        assert (chosen.engine, chosen.transcript, chosen.confidence) == ("whisper", "Today's weather.", 0.8)


def test_rule_3_nothing_was_said_when_whisper_hears_no_speech_or_a_ghost() -> None:
    for silent in (whisper("", "no_speech"), whisper(""), whisper("Thank you.", "ghost"), whisper("So", "no_speech")):
        chosen = choose([sphinx("the the of"), silent], NOTHING)
        assert (chosen.engine, chosen.transcript, chosen.confidence) == ("whisper", "", None)
        assert chosen.words == ()
        assert chosen.alternatives == ()


def test_rule_4_pocketsphinx_answers_when_whisper_doubts_its_words() -> None:
    chosen = choose([sphinx("turn on the light"), whisper("Turn on the line", "log_probability")], NOTHING)
    assert (chosen.engine, chosen.transcript) == ("pocketsphinx", "turn on the light")
    assert readings(chosen) == [("whisper", "Turn on the line")]


def test_rule_5_without_whisper_pocketsphinx_is_believed_unless_its_own_guards_object() -> None:
    alone = sphinx("turn on the light", second_best=("turn on the right",))
    assert choose([alone], NOTHING) == alone
    for ghost in (sphinx("if of", "no_speech"), sphinx("", sentence="a tea")):
        assert choose([ghost], NOTHING).transcript == ""
        assert choose([ghost], NOTHING).alternatives == ()


def test_rule_6_the_answer_is_empty_when_everybody_doubts() -> None:
    chosen = choose([sphinx("", sentence="a tea"), whisper("A team", "log_probability")], NOTHING)
    assert chosen.transcript == ""
    assert chosen.confidence is None
    assert readings(chosen) == [("whisper", "A team")]
    assert choose([whisper("So so so so", "repetition")], NOTHING).transcript == ""


def test_worthless_readings_are_no_alternatives() -> None:
    chosen = choose([sphinx("turn on the light"), whisper("light light light light", "repetition")], NOTHING)
    assert chosen.alternatives == ()


def test_the_same_words_in_other_letters_are_one_reading() -> None:
    what = sphinx("what's the time", second_best=("what the time", "what's a time"))
    chosen = choose([what, whisper("What's the time?")], NOTHING)
    assert readings(chosen) == [("pocketsphinx", "what the time"), ("pocketsphinx", "what's a time")]


def test_every_best_reading_comes_before_a_second_best_and_there_are_ten_at_most() -> None:
    many = tuple(f"turn {number}" for number in range(12))
    chosen = choose([sphinx("turn on", second_best=many), whisper("Turn off", "log_probability")], NOTHING)
    assert len(chosen.alternatives) == ALTERNATIVES_MAX
    assert readings(chosen)[0] == ("whisper", "Turn off")
    assert readings(chosen)[1:] == [("pocketsphinx", text) for text in many[:9]]
