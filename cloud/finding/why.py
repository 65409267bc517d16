"""Why the search found an entry for some words."""

from cloud.finding.asked import Word, asked
from cloud.finding.index import Index, Indexed
from cloud.finding.words import sound


def why(index: Index, query: str, id: str) -> str:
    """What of a query is in an entry, and how, such as: "whether" sounds like "weather", "berlin"."""
    known = index.entries([id])
    if not known:
        return ""
    said = [_matched(word, known[0]) for word in asked(index, query)]
    missing = [one for one in said if one.endswith("is not there")]
    return ", ".join([one for one in said if one not in missing] + missing)


def _matched(word: Word, entry: Indexed) -> str:
    """One word of a query in an entry."""
    names = set().union(*entry.names)
    for stems, where in ((names, ""), (entry.body, " beside the name")):
        if word.stem in stems:
            return f'"{word.text}"{where}'
        likely = {stem: likeness for stem, likeness in word.readings.items() if stem in stems}
        if likely:
            best = max(likely, key=lambda stem: likely[stem])
            how = "sounds like" if sound(best) == sound(word.stem) else "is spelled like"
            return f'"{word.text}" {how} "{best}"{where} ({likely[best]:.2f})'
    return f'"{word.text}" is not there'
