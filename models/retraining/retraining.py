"""The steps of a retraining, in their order, and what each hangs on."""

from collections.abc import Callable, Iterator, Mapping

from common.errors import DataError
from models.check.checkers import CONVENTIONS
from models.labels.agreement import CHARACTERS
from models.retraining import offering, report, sets, trained
from models.retraining.commands import NAMES
from models.retraining.given import Given
from models.retraining.steps import Figures, Step, Tell, Work, digest_of
from protos.model_card import MODEL_FILE


def retraining(given: Given) -> Work:
    """All steps, in the folder of the work."""
    work = Work(given.work, [])

    def figures() -> Mapping[str, Figures]:
        return {name: found.figures for name in NAMES if (found := work.done(name)) is not None}

    page = Step(
        "report",
        "a page with figures and plots",
        lambda: {} if given.offer is None else {"--offer": f"{given.offer:g}"},
        (given.report, given.plots),
        lambda tell: report.write_report(given, figures(), tell),
    )
    work.steps = [*_of_data(given), *_of_models(given), _made(given, figures), page, *_offered(given)]
    return work


def _of_data(given: Given) -> Iterator[Step]:
    """From the log to a set that is learnt from."""

    def taken() -> Mapping[str, str]:
        found = {
            "the log": digest_of(given.log),
            "--exact": str(given.exact),
            "the sound": given.sound_digest,
            "the recipe": given.recipe.digest,
            "the definition": given.definition_digest,
        }
        return found if given.labels is None else found | {"the labels": digest_of(given.labels)}

    def divided() -> Mapping[str, str]:
        shares = f"{given.tune_share} {given.test_share} {given.each_utterance}"
        return {"the base": digest_of(given.base), "the shares": shares}

    yield Step("import", "the utterances that somebody labelled", taken, (given.heard,), lambda t: sets.take(given, t))
    yield Step(
        "check",
        "labels, and who labels otherwise",
        lambda: {"--put-right": " ".join(sorted(given.put_right))},
        (given.checked, given.check_page),
        lambda tell: sets.check(given, tell),
    )
    yield Step("fix", "labels as they are agreed", dict, (given.fixed,), lambda tell: sets.fix(given, tell))
    yield Step(
        "divide",
        "what is new beside what was there, by speaker",
        divided,
        (given.set, given.base_set),
        lambda tell: sets.divide(given, tell),
    )


def _of_models(given: Given) -> Iterator[Step]:
    """From that set to a candidate, and what the new data brought."""

    def serving() -> Mapping[str, str]:
        card = given.serving_card
        return {"the serving model": digest_of(given.serving / MODEL_FILE) + " ".join(card.labels)}

    yield Step(
        "train",
        f"{given.recipe.name} {given.recipe.version}",
        lambda: {"noise and rooms": given.sounds_digest},
        (),
        lambda tell: trained.train(given, tell),
        lambda: given.training(given.set),
    )
    yield Step(
        "evaluate",
        "the candidate beside the model that serves",
        serving,
        (given.outcomes,),
        lambda tell: trained.evaluate(given, tell),
    )
    yield Step(
        "ablate",
        "the same without what is new",
        dict,
        (),
        lambda tell: trained.ablate(given, tell),
        lambda: given.training(given.base_set),
    )


def _made(given: Given, figures: Callable[[], Mapping[str, Figures]]) -> Step:
    """With what it was made from."""
    return Step(
        "candidate",
        "model and card in a folder",
        dict,
        (trained.candidate_folder(given),),
        lambda tell: trained.write_candidate(given, figures(), tell),
    )


def _offered(given: Given) -> Iterator[Step]:
    """Where that is wanted."""
    if given.offer is not None:
        where = {"--service": "" if given.service is None else str(given.service.absolute())}
        yield Step(
            "offer",
            f"to {given.offer:.0%} of the boards",
            lambda: where,
            (),
            lambda tell: offering.offer(given, report.sentence(trained.compared(given, trained.SERVING), given), tell),
        )


def dry(given: Given, first: str | None, last: str | None) -> Iterator[str]:
    """What is done already, and what would be done, a line a step."""
    refuse(given)
    for step, is_done, why in retraining(given).plan(first):
        yield f"{step.name:<10} {'done' if is_done else 'to do':<6} {step.what}" + (f" ({why})" if why else "")
        if step.name == last:
            return


def carry_out(given: Given, tell: Tell, first: str | None, last: str | None) -> Iterator[str]:
    """Does it; what came of it, for a person."""
    refuse(given)
    with retraining(given) as work:
        work.carry_out(tell, first, last)
    if last is not None and NAMES.index(last) < NAMES.index("report"):
        yield f"{given.work}: done up to {last}."
        return
    yield f"{given.report}: the report."
    yield f"{trained.candidate_folder(given)}: the candidate."
    yield report.next_step(given)


def refuse(given: Given) -> None:
    """DataError for what cannot be used, before anything is done."""
    assert given.serving_card
    known = (CHARACTERS, *CONVENTIONS)
    if given.exact and given.recipe.other is None:
        raise DataError(f"--exact: {given.recipe_file} names no class of others that other words could be of.")
    if unknown := [kind for kind in given.put_right if kind not in known]:
        raise DataError(f"--put-right {unknown[0]}: is none of {', '.join(dict.fromkeys(known))}.")
