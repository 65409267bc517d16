"""parrotlet-cloud domain: makes, checks, builds and tries what a service understands and finds."""

import itertools
import json
import random
from pathlib import Path

import click

from cloud.options import config_option, load_settings
from common.commands import UNUSABLE_INPUT

_domain_argument = click.argument("domain", metavar="NAME|DIR")


@click.group()
def domain() -> None:
    """Make, check, build and try what a service understands and finds.

    \b
    Example:
      parrotlet-cloud domain init ./my-shop
      parrotlet-cloud domain check ./my-shop
    """


@domain.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Write a commented example to begin with. Nothing that is there is overwritten.

    \b
    Example:
      parrotlet-cloud domain init ./my-shop
    """
    from cloud.building.example_folder import write_example

    for file in write_example(folder):
        click.echo(file)
    click.echo(f"Next: parrotlet-cloud domain check {folder}")


@domain.command()
@_domain_argument
def check(domain: str) -> None:
    """Tell what is wrong with a domain folder, all at once, by file and line, and what would make it better. Status 2
    if anything is wrong.

    \b
    Example:
      parrotlet-cloud domain check ./my-shop
    """
    from cloud.building.checks.folder import check_domain
    from cloud.building.fault import in_order
    from cloud.building.folder import find_folder

    checked = check_domain(find_folder(domain))
    for warning in in_order(checked.faults.warnings):
        click.echo(f"warning: {warning}")
    for fault in in_order(checked.faults.faults):
        click.echo(str(fault), err=True)
    warnings = len(checked.faults.warnings) + checked.faults.warnings_left_out
    told = f"{_many(checked.faults.count, 'fault')}, {_many(warnings, 'warning')}"
    if checked.domain is None or checked.faults.faults:
        click.echo(told, err=True)
        raise click.exceptions.Exit(UNUSABLE_INPUT)
    click.echo(f"{checked.domain.name} {checked.domain.version}: {len(checked.domain.entries)} entries, {told}")


def _many(count: int, what: str) -> str:
    return f"{count or 'no'} {what}{'s' * (count != 1)}"


@domain.command()
@_domain_argument
@config_option
def build(domain: str, config_file: Path | None) -> None:
    """Build a domain's index and its sentences, so that a service starts at once.

    \b
    Example:
      parrotlet-cloud domain build ./my-shop
    """
    from cloud.building.build import build_bundle
    from cloud.building.domain import load_domain
    from cloud.finding.index import build

    storage = load_settings(config_file, {}).settings.storage
    loaded = load_domain(domain)
    build_bundle(loaded, storage.bundle_dir)
    index_file = build(loaded, storage.index_dir)
    click.echo(f"{loaded.name} {loaded.version}: {len(loaded.entries)} entries in {index_file}")


@domain.command()
@_domain_argument
def show(domain: str) -> None:
    """Print what a domain understands: its intents with examples, its lists, its words, its size.

    \b
    Example:
      parrotlet-cloud domain show coffee
    """
    from cloud.building.build import make_bundle
    from cloud.building.domain import load_domain
    from cloud.building.overview import overview

    loaded = load_domain(domain)
    for line in overview(loaded, make_bundle(loaded)):
        click.echo(line)


@domain.command(name="try")
@click.argument("text", nargs=-1, required=True)
@click.option("--domain", metavar="NAME|DIR", help="Domain that is asked; else the first that is served.")
@click.option("--explain", is_flag=True, help="Why it is understood so.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@config_option
def try_(text: tuple[str, ...], domain: str | None, explain: bool, as_json: bool, config_file: Path | None) -> None:
    """Understand a typed text as if it had been heard, and search for it.

    \b
    Example:
      parrotlet-cloud domain try --domain coffee a large iced coffee with milk
    """
    from cloud.building.domain import load_domain
    from cloud.building.trying import try_text

    settings = load_settings(config_file, {}).settings
    tried = try_text(load_domain(domain or settings.domains.serve[0]), " ".join(text))
    if as_json:
        click.echo(json.dumps(tried.as_json(explain=explain)))
    else:
        for line in tried.lines(explain=explain):
            click.echo(line)


@domain.command()
@_domain_argument
@click.option("--intent", metavar="NAME", help="Only of this one.")
@click.option("--count", type=click.IntRange(1, 1_000_000), default=10, show_default=True, help="So many sentences.")
@click.option("--seed", type=int, default=0, show_default=True, help="Another number, other sentences.")
@click.option("--labels", is_flag=True, help="A tab and the intent behind each.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a sentence, with its slots.")
def say(domain: str, intent: str | None, count: int, seed: int, labels: bool, as_json: bool) -> None:
    """Print sentences that the domain understands, at random: to read out, for tests, for training.

    \b
    Example:
      parrotlet-cloud domain say coffee --count 3
      parrotlet-cloud domain say coffee --count 200 > orders.txt
      parrotlet-models synthesise data/orders.jsonl --texts orders.txt
    """
    from cloud.building.build import make_bundle
    from cloud.building.domain import load_domain
    from cloud.building.sampling import blocks_to_say, drawn

    bundle = make_bundle(load_domain(domain))
    blocks = blocks_to_say(bundle.blocks, intent)
    for said in itertools.islice(drawn(bundle.network, bundle.blocks, blocks, random.Random(seed)), count):
        name = bundle.blocks[said.block].intent
        if as_json:
            click.echo(json.dumps({"text": said.text, "intent": name, "slots": said.slots, "values": said.values}))
        else:
            click.echo(f"{said.text}\t{name}" if labels else said.text)
