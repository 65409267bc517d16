"""Which names fit the phones that were heard, by phones that are made here."""

import numpy as np
import pytest

from cloud.decoders.name_spotting import AROUND, NEVER, PHONES_MAX, NameSpotting
from cloud.decoders.phone_ear import NOTHING_NEW, Floats
from cloud.pronouncing.phones import NAMES, numbers

UNLIKELY = -6.0
SAID = {
    "Oslo": "AA Z L OW",
    "Bath": "B AE TH",
    "Bathurst": "B AE TH ER S T",
    "Rome": "R OW M",
    "Katmandu": "K AE T M AE N D UW",
}


def heard(said: str, pause: int = 2, sure: float = -0.01) -> Floats:
    """A phone at a position, some positions of nothing new behind each."""
    classes = [place for phone in numbers(said) for place in (phone, *[NOTHING_NEW] * pause)]
    likely = np.full((len(classes), len(NAMES)), UNLIKELY, np.float32)
    likely[np.arange(len(classes)), classes] = sure
    return likely


def spotting(said: dict[str, str] = SAID) -> NameSpotting:
    return NameSpotting([[numbers(phones)] for phones in said.values()])


def costs(sound: Floats) -> dict[str, float]:
    return dict(zip(SAID, spotting().costs(sound).tolist(), strict=True))


@pytest.mark.parametrize("name", SAID)
def test_a_name_that_was_said_costs_nothing_and_is_the_best(name: str) -> None:
    its = costs(heard(SAID[name]))
    assert its[name] == pytest.approx(0, abs=0.1)
    assert min(its, key=its.__getitem__) == name


@pytest.mark.parametrize("pause", [0, 1, 5])
def test_it_does_not_matter_how_slowly_it_is_said(pause: int) -> None:
    assert costs(heard(SAID["Katmandu"], pause))["Katmandu"] == pytest.approx(0, abs=0.1)


def test_nor_how_sure_it_is_that_nothing_new_began() -> None:
    assert costs(heard(SAID["Katmandu"], sure=-0.7))["Katmandu"] == pytest.approx(0, abs=0.1)


def test_it_is_found_within_other_words_which_cost_a_little() -> None:
    its = costs(heard(f"W EH R IH Z {SAID['Bathurst']} N AW"))
    assert min(its, key=its.__getitem__) == "Bathurst"
    assert its["Bathurst"] == pytest.approx(7 * AROUND, abs=0.1)


def test_of_two_that_fit_the_one_that_explains_more_is_better() -> None:
    its = costs(heard(SAID["Bathurst"]))
    assert its["Bathurst"] < its["Bath"] < its["Rome"]


def test_a_phone_that_was_perhaps_another_costs_as_much_as_it_is_less_likely() -> None:
    sound = heard(SAID["Rome"])
    sound[-3, numbers("N")[0]] = -2.01
    said = {"Rome": SAID["Rome"], "Rone": "R OW N", "Rowl": "R OW L"}
    rome, rone, rowl = spotting(said).costs(sound)
    assert rone - rome == pytest.approx(2.0, abs=0.01)
    assert rowl - rone > 1


def test_the_best_of_a_names_variants_counts() -> None:
    ways = [numbers("B AE TH"), numbers("R OW M")]
    costs = NameSpotting([ways, ways[::-1], ways[:1]]).costs(heard("R OW M"))
    assert costs[0] == costs[1] == pytest.approx(0, abs=0.1)
    assert costs[2] > 5


def test_whoever_cannot_be_said_is_never_heard_and_long_names_are_by_their_beginning() -> None:
    long = "K AE T M AE N D UW " * 9
    never, its = NameSpotting([[], [numbers(long)]]).costs(heard(long))
    assert never == NEVER
    assert its < NEVER
    assert len(numbers(long)) > PHONES_MAX


def test_silence_has_no_names_and_is_no_fault() -> None:
    assert (spotting().costs(np.zeros((0, len(NAMES)), np.float32)) >= NEVER).all()
