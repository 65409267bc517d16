from cloud.arbiter import ALTERNATIVES_MAX, choose, decides_alone
from cloud.decoders import Alternative, Hypothesis, Word


def whisper(transcript: str, *doubts: str) -> Hypothesis:
    words = (Word("so", 0, 100),) if transcript else ()
    return Hypothesis("whisper", "tiny.en", transcript, confidence=0.8, words=words, doubts=doubts)


def sphinx(transcript: str, *doubts: str, by_grammar: bool = False, second_best: tuple[str, ...] = ()) -> Hypothesis:
    alternatives = tuple(Alternative(text, None, "pocketsphinx") for text in second_best)
    return Hypothesis(
        "pocketsphinx", "en-us", transcript, doubts=doubts, by_grammar=by_grammar, alternatives=alternatives
    )


def readings(hypothesis: Hypothesis) -> list[tuple[str, str]]:
    return [(reading.engine, reading.transcript) for reading in hypothesis.alternatives]


def test_a_sentence_of_the_grammar_decides_alone() -> None:
    assert decides_alone(sphinx("a large latte", by_grammar=True), under_grammar=True)


def test_open_words_a_doubted_sentence_and_an_empty_one_do_not_decide_alone() -> None:
    assert not decides_alone(sphinx("a large latte"), under_grammar=False)
    assert not decides_alone(sphinx("a large latte", "out_of_grammar", by_grammar=True), under_grammar=True)
    assert not decides_alone(sphinx("", by_grammar=True), under_grammar=True)


def test_whispers_words_decide_alone_unless_there_is_a_grammar_to_wait_for() -> None:
    assert decides_alone(whisper("A large latte."), under_grammar=False)
    assert not decides_alone(whisper("A large latte."), under_grammar=True)
    assert not decides_alone(whisper("A large latte", "log_probability"), under_grammar=False)
    assert not decides_alone(whisper(""), under_grammar=False)


def test_rule_1_a_sentence_of_the_grammar_wins_over_whisper() -> None:
    chosen = choose([sphinx("a light roast", by_grammar=True), whisper("A light rose.")])
    assert (chosen.engine, chosen.transcript) == ("pocketsphinx", "a light roast")
    assert readings(chosen) == [("whisper", "A light rose.")]


def test_rule_2_whispers_words_win_over_open_words_and_over_a_doubted_sentence() -> None:
    for other in (sphinx("two days weather"), sphinx("a tea", "out_of_grammar", by_grammar=True)):
        chosen = choose([other, whisper("Today's weather.")])
        assert (chosen.engine, chosen.transcript, chosen.confidence) == ("whisper", "Today's weather.", 0.8)


def test_rule_3_nothing_was_said_when_whisper_hears_no_speech_or_a_ghost() -> None:
    for silent in (whisper("", "no_speech"), whisper(""), whisper("Thank you.", "ghost"), whisper("So", "no_speech")):
        chosen = choose([sphinx("the the of"), silent])
        assert (chosen.engine, chosen.transcript, chosen.confidence) == ("whisper", "", None)
        assert chosen.words == ()
        assert chosen.alternatives == ()


def test_rule_4_pocketsphinx_answers_when_whisper_doubts_its_words() -> None:
    chosen = choose([sphinx("turn on the light"), whisper("Turn on the line", "log_probability")])
    assert (chosen.engine, chosen.transcript) == ("pocketsphinx", "turn on the light")
    assert readings(chosen) == [("whisper", "Turn on the line")]


def test_rule_5_without_whisper_pocketsphinx_is_believed_unless_its_own_guards_object() -> None:
    alone = sphinx("turn on the light", second_best=("turn on the right",))
    assert choose([alone]) == alone
    for ghost in (sphinx("if of", "no_speech"), sphinx("a tea", "out_of_grammar", by_grammar=True)):
        assert choose([ghost]).transcript == ""
        assert choose([ghost]).alternatives == ()


def test_rule_6_the_answer_is_empty_when_everybody_doubts() -> None:
    chosen = choose([sphinx("a tea", "out_of_grammar", by_grammar=True), whisper("A team", "log_probability")])
    assert chosen.transcript == ""
    assert chosen.confidence is None
    assert readings(chosen) == [("whisper", "A team")]
    assert choose([whisper("So so so so", "repetition")]).transcript == ""


def test_worthless_readings_are_no_alternatives() -> None:
    chosen = choose([sphinx("turn on the light"), whisper("light light light light", "repetition")])
    assert chosen.alternatives == ()


def test_the_same_words_in_other_letters_are_one_reading() -> None:
    chosen = choose(
        [sphinx("what's the time", second_best=("what the time", "what's a time")), whisper("What's the time?")]
    )
    assert readings(chosen) == [("pocketsphinx", "what the time"), ("pocketsphinx", "what's a time")]


def test_every_best_reading_comes_before_a_second_best_and_there_are_ten_at_most() -> None:
    many = tuple(f"turn {number}" for number in range(12))
    chosen = choose([sphinx("turn on", second_best=many), whisper("Turn off", "log_probability")])
    assert len(chosen.alternatives) == ALTERNATIVES_MAX
    assert readings(chosen)[0] == ("whisper", "Turn off")
    assert readings(chosen)[1:] == [("pocketsphinx", text) for text in many[:9]]
