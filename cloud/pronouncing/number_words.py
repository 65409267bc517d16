"""Numbers as people say them: "twelve", "nineteen eighty four", "second", "two point five"."""

_SMALL = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen""".split()  # noqa: SIM905 - reads better than twenty quoted words
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))
_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
             "twelve": "twelfth"}  # fmt: skip
DIGITS_MAX = 12
"""Longer ones are said digit by digit."""

Words = tuple[str, ...]


def number(digits: str) -> list[Words]:
    """Ways to say it, the usual first: "1984" as a year and as a number, "007" digit by digit.

    `digits`: 0 to 9 only, at least one.
    """
    one_by_one = tuple(_SMALL[int(digit)] for digit in digits)
    if len(digits) > DIGITS_MAX or (digits.startswith("0") and len(digits) > 1):
        return [one_by_one, tuple("oh" if word == "zero" else word for word in one_by_one)]
    value = int(digits)
    ways = [tuple(_cardinal(value))]
    if value > 100 and value % 100:
        ways.append(tuple(_cardinal(value, and_="and")))
    if 1100 <= value < 2100 and len(digits) == 4:
        ways.insert(0 if value < 2000 else 1, tuple(_year(value)))
    elif len(digits) > 2:
        ways.append(one_by_one)
    return list(dict.fromkeys(ways))


def ordinal(digits: str) -> list[Words]:
    """ "21" as "twenty first"; see `number`."""
    *before, last = _cardinal(int(digits[-DIGITS_MAX:]))
    if last not in _ORDINALS:
        _ORDINALS[last] = (last[:-1] + "ie" if last.endswith("y") else last) + "th"
    return [(*before, _ORDINALS[last])]


def decimal(whole: str, fraction: str) -> list[Words]:
    """ "2" and "50" as "two point five zero"."""
    return [(*way, "point", *(_SMALL[int(digit)] for digit in fraction)) for way in number(whole)[:1]]


def clock(hours: str, minutes: str) -> list[Words]:
    """ "7" and "05" as "seven oh five", "7" and "00" as "seven o'clock" or "seven"."""
    hour = tuple(_cardinal(int(hours)))
    if int(minutes) == 0:
        return [(*hour, "o'clock"), hour]
    oh = ("oh",) if int(minutes) < 10 else ()
    return [(*hour, *oh, *_cardinal(int(minutes)))]


def _cardinal(value: int, and_: str = "") -> list[str]:
    if value < 20:
        return [_SMALL[value]]
    if value < 100:
        return [_TENS[value // 10], *([_SMALL[value % 10]] if value % 10 else [])]
    for scale, name in _SCALES:
        if value >= scale:
            rest = value % scale
            words = [*_cardinal(value // scale, and_), name]
            joint = [and_] if and_ and 0 < rest < 100 else []
            return words + joint + (_cardinal(rest, and_) if rest else [])
    raise AssertionError(value)


def _year(value: int) -> list[str]:
    century, rest = divmod(value, 100)
    if 2000 <= value < 2010:
        return _cardinal(value)
    if not rest:
        return [*_cardinal(century), "hundred"]
    return [*_cardinal(century), *(["oh"] if rest < 10 else []), *_cardinal(rest)]
