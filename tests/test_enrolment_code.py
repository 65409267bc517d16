"""The code that a person carries from a service to a board."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protos.enrolment_code import EnrolmentCode, looks_like_a_code, new_code, parse_code

CERTIFICATE = b"what a port shows"


def test_a_code_is_seven_groups_of_four_without_letters_that_look_like_digits() -> None:
    groups = str(new_code(CERTIFICATE)).split("-")
    assert [len(group) for group in groups] == [4] * 7
    assert not set("".join(groups)) & set("ILOU")


def test_no_two_codes_are_alike_though_the_port_shows_the_same() -> None:
    codes = [new_code(CERTIFICATE) for _ in range(100)]
    assert len({code.secret for code in codes}) == len({code.pin for code in codes}) == 100


@given(st.binary(max_size=50))
def test_a_code_is_read_however_it_is_written(certificate: bytes) -> None:
    code = new_code(certificate)
    for text in (str(code), str(code).lower(), str(code).replace("-", ""), f" {code}\n".replace("0", "o")):
        assert parse_code(text) == code
    assert parse_code(str(code).replace("1", "l")) == code


def test_a_code_fits_what_its_service_shows_and_nothing_else() -> None:
    code = new_code(CERTIFICATE)
    assert code.fits(CERTIFICATE)
    assert not code.fits(CERTIFICATE + b"!")
    # Whoever sees only the pin cannot make a certificate that fits: it depends on the secret, too.
    assert not EnrolmentCode(code.pin, new_code(CERTIFICATE).secret).fits(CERTIFICATE)


def test_most_mistypings_are_found_before_anything_is_sent() -> None:
    text, found = str(new_code(CERTIFICATE)).replace("-", ""), 0
    for place in range(len(text)):
        wrong = "7" if text[place] != "7" else "8"
        try:
            parse_code(text[:place] + wrong + text[place + 1 :])
        except ValueError as error:
            assert text not in str(error)
            found += 1
    assert found >= len(text) - 6


@pytest.mark.parametrize("text", ["", "kitchen", "7K2M", "U" * 28, "0" * 29, "192.168.1.5:7408"])
def test_what_is_no_code_is_told_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match="That is no code: it has 28 letters and digits, in groups of 4"):
        parse_code(text)
    assert not looks_like_a_code(text)


def test_a_code_hides_itself_in_logs() -> None:
    code = new_code(CERTIFICATE)
    assert f"{code!r}" == "EnrolmentCode(…)"
