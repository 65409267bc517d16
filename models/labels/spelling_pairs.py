"""British and American spellings of common words, from what their endings have in common."""

from collections.abc import Iterator

OUR = "col fav flav hon lab neighb behavi harb hum rum vap sav splend vig arm endeav parl rig tum glam"
OUR_FORMS = ("", "s", "ed", "ing", "ful", "less", "ite", "ites", "able", "y", "hood", "hoods")
ISE = (
    "organ real recogn apolog author categor central civil critic economis emphas equal final general initial legal "
    "local "
    "maxim memor minim mobil modern normal optim penal popular prior random social special stabil standard steril "
    "summar symbol synchron util visual vocal capital character crystal digital hospital item magnet synthes custom"
)
ISE_FORMS = (("ise", "ize"), ("ises", "izes"), ("ised", "ized"), ("ising", "izing"), ("isation", "ization"))
DOUBLED = "travel cancel model label level fuel signal total dial equal channel tunnel marvel quarrel pedal"
DOUBLED_FORMS = ("ed", "ing", "er", "ers")
SINGLE = """
centre/center centres/centers metre/meter metres/meters litre/liter litres/liters kilometre/kilometer
kilometres/kilometers centimetre/centimeter centimetres/centimeters millimetre/millimeter theatre/theater
theatres/theaters fibre/fiber fibres/fibers sombre/somber grey/gray greys/grays greyish/grayish defence/defense
offence/offense licence/license pretence/pretense catalogue/catalog catalogues/catalogs dialogue/dialog
analogue/analog programme/program programmes/programs tyre/tire tyres/tires kerb/curb pyjamas/pajamas
aluminium/aluminum jewellery/jewelry aeroplane/airplane aeroplanes/airplanes cosy/cozy cheque/check cheques/checks
draught/draft plough/plow mould/mold moult/molt moustache/mustache sceptical/skeptical storey/story yoghurt/yogurt
skilful/skillful fulfil/fulfill enrol/enroll enrolment/enrollment instalment/installment anaesthetic/anesthetic
paediatric/pediatric encyclopaedia/encyclopedia manoeuvre/maneuver oestrogen/estrogen analyse/analyze
analysed/analyzed analysing/analyzing paralyse/paralyze paralysed/paralyzed mum/mom mummy/mommy doughnut/donut
doughnuts/donuts whisky/whiskey artefact/artifact ageing/aging judgement/judgment
"""
AMBIGUOUS = frozenset(
    {"check", "checks", "draft", "license", "story", "tire", "tires", "curb", "mold", "program", "programs"}
)
"""American spellings that are also other British words: never called wrong in British texts."""
AMBIGUOUS_BRITISH = frozenset({"mummy", "storey", "whisky", "draught"})


def british_to_american() -> dict[str, str]:
    """All pairs, in small letters."""
    return dict(_pairs())


def _pairs() -> Iterator[tuple[str, str]]:
    for stem in OUR.split():
        for form in OUR_FORMS:
            yield f"{stem}our{form}", f"{stem}or{form}"
    for stem in ISE.split():
        for british, american in ISE_FORMS:
            yield stem + british, stem + american
    for stem in DOUBLED.split():
        for form in DOUBLED_FORMS:
            yield f"{stem}l{form}", f"{stem}{form}"
    for pair in SINGLE.split():
        british, _, american = pair.partition("/")
        yield british, american
