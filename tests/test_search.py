from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.building.catalogue import Entry
from cloud.building.domain import Domain, load_domain
from cloud.finding.index import Index, SqliteIndex, open_index
from cloud.finding.search import SNIPPET_CHARS, Found, search, snippet

TUNED = [
    ("um today's weather", "weather-today"),
    ("uh what's the weather like please", "weather-today"),
    ("hey could you tell me whether it's going to rain today", "weather-rain"),
    ("whether in berlin", "weather-berlin"),
    ("what is the weather like in new york", "weather-new-york"),
    ("how hot is it in dubai right now", "weather-dubai"),
    ("do i need an umbrella tomorrow", "weather-rain"),
    ("weather for tomorrow", "weather-tomorrow"),
    ("forecast for london", "weather-london"),
    ("when does the sun go down tonight", "weather-sunset"),
    ("lite on in the kitchen", "light-on-kitchen"),
    ("turn the lights off in the bedroom", "light-off-bedroom"),
    ("switch off all the lights", "light-off-all"),
    ("it's too dark in the living room", "light-on-living-room"),
    ("set a timer for ten minutes", "timer-10-minutes"),
    ("10 minute timer", "timer-10-minutes"),
    ("start a half hour timer", "timer-30-minutes"),
    ("um can you set a timer for um twenty five minutes please", "timer-25-minutes"),
    ("cancel the timer", "timer-stop"),
    ("wake me up at seven am", "alarm-7-00"),
    ("how long for a soft boiled egg", "cook-egg-soft"),
    ("how many millilitres in a cup", "convert-cup-millilitres"),
    ("how many grams are in an ounce", "convert-ounce-grams"),
    ("what is gas mark six in celsius", "oven-gas-mark-6"),
    ("what temperature should chicken be inside", "temperature-chicken"),
    ("how long do you cook basmati rice", "cook-rice-basmati"),
    ("what can i use instead of eggs", "substitute-egg"),
    ("i've run out of buttermilk", "substitute-buttermilk"),
    ("how do i make pancakes", "recipe-pancakes"),
    ("recipe for spaghetti bolognese", "recipe-bolognese"),
    ("how to bake banana bread", "recipe-banana-bread"),
    ("chickpea curry", "recipe-chickpea-curry"),
    ("play some jazz", "music-jazz"),
    ("put on something relaxing", "music-relaxing"),
    ("i want to hear classical music", "music-classical"),
    ("turn the volume up", "volume-up"),
    ("stop the music", "music-stop"),
    ("where is the fuse box", "house-fuse-box"),
    ("what's the wifi password", "house-wifi"),
    ("which day do the bins go out", "house-bin-day"),
    ("the boiler has gone off how do i reset it", "house-boiler-reset"),
    ("how do i descale the kettle", "howto-descale-kettle"),
    ("red wine on the carpet", "howto-red-wine-stain"),
    ("how do i unblock the sink", "howto-unblock-sink"),
    ("i burned my hand", "first-aid-burn"),
    ("my child is choking", "first-aid-choking"),
    ("nose bleed what do i do", "first-aid-nosebleed"),
    ("what's the capital of france", "capital-france"),
    ("how far away is the moon", "know-moon-distance"),
    ("how tall is mount everest", "know-everest"),
    ("play the news", "news-headlines"),
    ("turn on the radio", "radio-on"),
    ("turn up the heating", "heating-up"),
    ("it's freezing in here", "heating-up"),
    ("close the blinds in the bedroom", "blind-close-bedroom"),
    ("lock the front door", "lock-front-door"),
    ("switch the telly off", "tv-off"),
    ("how do i get chewing gum out of a carpet", "howto-chewing-gum"),
    ("how many teaspoons in a tablespoon", "convert-tablespoon-teaspoons"),
    ("what's 180 celsius in fahrenheit", "oven-180-celsius"),
    ("how long to roast a chicken", "recipe-roast-chicken"),
    ("what's the speed of light", "know-speed-of-light"),
]
"""Seen while the catalogue and the search were tuned; written before both."""

HELD_OUT = [
    ("er i'd like to know what the forecast is for paris", "weather-paris"),
    ("is it cold in moscow", "weather-moscow"),
    ("temperature in sydney today", "weather-sydney"),
    ("will we get snow this week", "weather-snow"),
    ("what time is sunrise", "weather-sunrise"),
    ("is it raining in seattle", "weather-seattle"),
    ("kitchen lights off please", "light-off-kitchen"),
    ("could you turn on the bathroom light", "light-on-bathroom"),
    ("dim the lights", "light-dim"),
    ("five minute timer please", "timer-5-minutes"),
    ("remind me in an hour", "timer-60-minutes"),
    ("set an alarm for half past six", "alarm-6-30"),
    ("how long does pasta take", "cook-pasta"),
    ("how much is a tablespoon in millilitres", "convert-tablespoon-millilitres"),
    ("what internal temperature for pork", "temperature-pork"),
    ("is there a replacement for baking powder", "substitute-baking-powder"),
    ("omelette recipe", "recipe-omelette"),
    ("i want to make tomato soup", "recipe-tomato-soup"),
    ("chili con carny", "recipe-chilli-con-carne"),
    ("gwakamole", "recipe-guacamole"),
    ("how do i cook a risotto", "recipe-mushroom-risotto"),
    ("play rock music", "music-rock"),
    ("music for a party", "music-party"),
    ("make it louder", "volume-up"),
    ("skip this song", "music-next"),
    ("how do i turn off the water in the house", "house-stopcock"),
    ("where's the first aid kit", "house-first-aid-kit"),
    ("the washing machine smells bad", "howto-clean-washing-machine"),
    ("get candle wax out of a table cloth", "howto-candle-wax"),
    ("how do i sharpen a knife", "howto-sharpen-knife"),
    ("bee sting", "first-aid-sting"),
    ("someone has fainted", "first-aid-fainting"),
    ("what is the capital of japan", "capital-japan"),
    ("how many days are there in a year", "know-days-year"),
    ("which is the biggest planet", "know-largest-planet"),
    ("how fast does light travel", "know-speed-of-light"),
    ("set the thermostat to twenty degrees", "heating-20"),
    ("open the curtains in the living room", "blind-open-living-room"),
    ("unlock the front door", "unlock-front-door"),
    ("what's happening in the news today", "news-headlines"),
    ("mute the telly", "tv-mute"),
    ("whats the wether in tokio", "weather-tokyo"),
]
"""Written with them, and not looked at one by one."""

HARD = [
    ("what's the whether going to be like tomorrow", "weather-tomorrow"),
    ("wether in edinborough", "weather-edinburgh"),
    ("is it warm in barcelona at the moment", "weather-barcelona"),
    ("rain in manchester", "weather-manchester"),
    ("turn the kitchen lite off", "light-off-kitchen"),
    ("lights on in the hallway", "light-on-hall"),
    ("could you possibly make it a bit brighter in here", "light-bright"),
    ("please remind me in twenty minutes to take the cake out", "timer-20-minutes"),
    ("count down from five minutes", "timer-5-minutes"),
    ("alarm six thirty", "alarm-6-30"),
    ("get me up at eight", "alarm-8-00"),
    ("how long should i cook an egg so that it is soft", "cook-egg-soft"),
    ("convert ounces to grams", "convert-ounce-grams"),
    ("convert grams to ounces", "convert-ounce-grams"),
    ("grams in a cup of flower", "convert-cup-flour"),
    ("what's three hundred fifty fahrenheit in celsius", "oven-180-celsius"),
    ("i have no baking powder", "substitute-baking-powder"),
    ("how do you make a good lasagna", "recipe-lasagne"),
    ("brownie recipe", "recipe-brownies"),
    ("what can i do with brown bananas", "recipe-banana-bread"),
    ("play music that makes me happy", "music-happy"),
    ("i'd like some techno", "music-electronic"),
    ("next", "music-next"),
    ("volume down please", "volume-down"),
    ("turn off the stopcock", "house-stopcock"),
    ("there is no hot water", "house-boiler-reset"),
    ("internet isn't working", "house-router-reset"),
    ("when is the garbage collected", "house-bin-day"),
    ("there is limescale in my kettle", "howto-descale-kettle"),
    ("i spilled wine on my shirt", "howto-red-wine-stain"),
    ("how can i get rid of ants", "howto-ants"),
    ("i've been stung by a wasp", "first-aid-sting"),
    ("grandma is having a stroke", "first-aid-stroke"),
    ("my frying pan is on fire", "first-aid-fat-fire"),
    ("i twisted my ankle", "first-aid-sprain"),
    ("what is germany's capital", "capital-germany"),
    ("who painted mona lisa", "know-mona-lisa"),
    ("how many bones are there in the body", "know-bones"),
    ("what's the highest mountain in the world", "know-everest"),
    ("how high is the eye full tower", "know-eiffel-tower"),
    ("shut the curtains", "blind-close-all"),
    ("set temperature to twenty one degrees", "heating-21"),
    ("it is too warm", "heating-down"),
    ("tell me a funny joke", "joke-tell"),
    ("add butter to my shopping list", "list-add"),
    ("where did i put my phone", "phone-find"),
    ("good night", "light-off-all"),
    ("play radio four", "radio-on"),
    ("put the telly on", "tv-on"),
    ("skip to the next track", "music-next"),
]
"""Paraphrases and misheard words, added later; three of them led to changes."""

NONSENSE_TUNED = [
    "colourless green ideas sleep furiously",
    "purple monkey quarterly dividend",
    "the committee approved the annual budget on tuesday",
    "he was not an ill disposed young man",
    "blorf snizzle wump",
    "asdf qwer zxcv",
    "seven of clubs",
    "ontological arguments about substance",
    "my lawyer will see your solicitor in court",
    "xylophone quantum bureaucracy",
    "the train to platform nowhere",
    "elephants negotiate tax treaties",
    "drop the tune when you add the figures",
    "she sold her violin to the archbishop",
    "um uh er",
]
"""Must find nothing."""

NONSENSE_HELD_OUT = [
    "go forward ten meters",
    "ten of clubs",
    "a thin stripe runs down the middle",
    "gravel pundits reorganise the archive",
    "flibber jabber wocky",
    "we are sure that one war is enough",
    "the philosopher disagreed with his publisher",
    "unless to be rather cold hearted",
    "lorem ipsum dolor sit amet",
    "parliament debated the fisheries bill",
    "at that high level the air is pure",
    "goalkeeper transfer window rumours",
    "what joy there is in living",
    "mutual fund prospectus",
    "zorgon blaxit",
]
"""The same, not looked at one by one."""


def small(*entries: Entry) -> SqliteIndex:
    return open_index(Domain(name="small", folder=Path("small"), version="0" * 12, entries=entries))


SMALL = small(
    Entry(id="berlin", title="Weather in Berlin", aliases=("Berlin weather",), url="https://wttr.in/Berlin"),
    Entry(id="paris", title="Weather in Paris", aliases=("Paris weather",), url="https://wttr.in/Paris"),
    Entry(id="today", title="Today's weather", aliases=("the weather",), text="Where this device is."),
    Entry(id="timer", title="Timer for 10 minutes", aliases=("ten minute timer",), action="timer.start"),
    Entry(id="near", title="NEAR", aliases=("AND OR NOT",)),
)


@pytest.fixture(scope="module", autouse=True)
def small_is_closed() -> Iterator[None]:
    yield
    SMALL.close()


def ids(query: str, index: Index = SMALL) -> list[str]:
    return [found.id for found in search(index, query)]


@pytest.fixture(scope="module")
def home() -> Iterator[Index]:
    with closing(open_index(load_domain("home"))) as index:
        yield index


def test_a_result_says_where_it_leads() -> None:
    assert search(SMALL, "the weather in Berlin")[0] == Found(
        "berlin", "Weather in Berlin", "", 1.0, "https://wttr.in/Berlin", None, None
    )
    assert search(SMALL, "timer for ten minutes")[0].action == "timer.start"


@pytest.mark.parametrize(
    "said",
    ["um, today's weather", "uh what's the weather like please", "hey could you tell me the weather", "TODAYS WEATHER"],
)
def test_fillers_case_and_apostrophes_change_nothing(said: str) -> None:
    assert ids(said)[0] == "today"


@pytest.mark.parametrize(
    "said", ["10 minute timer", "ten minutes timer", "timer ten minutes", "a timer for 10 min\u00fates"]
)
def test_numbers_in_words_and_digits_are_the_same(said: str) -> None:
    assert ids(said) == ["timer"]


def test_misheard_words_find_what_was_said() -> None:
    assert ids("whether in berlyn")[0] == "berlin"


def test_exact_names_have_the_score_one_and_others_less() -> None:
    first, *others = search(SMALL, "weather")
    assert (first.id, first.score) == ("today", 1.0)
    assert all(0 < other.score < 1 for other in others)


def test_a_word_beside_its_names_finds_an_entry_but_counts_less() -> None:
    with closing(small(Entry(id="toast", title="Eggy bread", text="With cinnamon."))) as index:
        found = search(index, "cinnamon")
    assert [result.id for result in found] == ["toast"]
    assert found[0].score < 0.5


def test_a_place_that_is_not_there_is_not_answered_with_another() -> None:
    assert ids("weather in Reykjavik") == []


def test_numbers_alone_find_nothing() -> None:
    assert ids("ten") == []


@pytest.mark.parametrize("said", ["", "  ", "?!", "um uh er", "blorf", "blorf snizzle", "\0", "\ud800", "\u200b"])
def test_nothing_sensible_finds_nothing(said: str) -> None:
    assert ids(said) == []


@pytest.mark.parametrize(
    "said",
    ['"', '"berlin', "berlin*", "-berlin", "NEAR(berlin weather)", "title:berlin", "^berlin", "berlin AND", "(berlin",
     "{title aliases}: berlin", "berlin' OR 1=1 --", "NOT berlin", "+berlin", "berlin;DROP TABLE entry"],
)  # fmt: skip
def test_the_syntax_of_the_index_is_just_text(said: str) -> None:
    search(SMALL, said)
    assert ids("berlin")[0] == "berlin"


@given(st.text(st.characters(), max_size=200) | st.text("\"'*^-+(){}: NEARANDORbelin0123", max_size=60))
def test_any_text_gives_a_list(text: str) -> None:
    results = search(SMALL, text, 3)
    assert len(results) <= 3
    assert all(0 <= found.score <= 1 for found in results)


def test_a_very_long_query_is_answered() -> None:
    assert isinstance(search(SMALL, "weather in berlin and " * 5000), list)


def test_the_limit_holds() -> None:
    assert len(search(SMALL, "weather", 2)) == 2
    assert search(SMALL, "weather", 0) == []


def test_a_snippet_is_short_and_ends_between_words() -> None:
    assert snippet("a  short\ntext") == "a short text"
    cut = snippet("seven letters " * 40)
    assert SNIPPET_CHARS - 10 < len(cut) <= SNIPPET_CHARS
    assert cut.endswith(("seven…", "letters…"))
    assert len(snippet("x" * 500)) == SNIPPET_CHARS


def rates(home: Index, table: list[tuple[str, str]]) -> tuple[float, float]:
    """Shares of queries whose entry is the first, and among the first three."""
    found = [([result.id for result in search(home, said)], wanted) for said, wanted in table]
    first = sum(results[:1] == [wanted] for results, wanted in found)
    third = sum(wanted in results[:3] for results, wanted in found)
    return first / len(table), third / len(table)


@pytest.mark.parametrize(
    ("table", "first_min", "third_min"), [(TUNED, 0.95, 1.0), (HELD_OUT, 0.9, 0.95), (HARD, 0.9, 0.95)]
)
def test_people_find_what_they_ask_for(
    home: Index, table: list[tuple[str, str]], first_min: float, third_min: float
) -> None:
    first, third = rates(home, table)
    assert first >= first_min
    assert third >= third_min


@pytest.mark.parametrize(("table", "empty_min"), [(NONSENSE_TUNED, 1.0), (NONSENSE_HELD_OUT, 0.9)])
def test_nonsense_finds_nothing(home: Index, table: list[str], empty_min: float) -> None:
    empty = sum(search(home, said) == [] for said in table)
    assert empty / len(table) >= empty_min


def test_an_order_finds_its_drink() -> None:
    drinks = ("mocha", "iced-mocha", "latte", "americano", "cappuccino", "espresso", "drip-coffee", "house-coffee")
    with closing(open_index(load_domain("coffee"))) as coffee:
        for drink in drinks:
            said = f"can i get a large dark roast {drink.replace('-', ' ')} with a bit of soy milk"
            assert f"drink-{drink}" in ids(said, coffee)
