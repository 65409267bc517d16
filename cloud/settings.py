"""What an owner can set on a service. `parrotlet-cloud config` prints the effective values."""

import os
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

ENVIRONMENT_PREFIX = "PARROTLET_CLOUD"
SYSTEM_FILE = Path("/etc/parrotlet/cloud.toml")


def _home(variable: str, otherwise: str) -> Path:
    """Our folder in one of the user's base directories (XDG Base Directory Specification)."""
    base = os.environ.get(variable)
    return (Path(base) if base else Path.home() / otherwise) / "parrotlet"


INSTALLED_STATE_DIR = Path("/var/lib/parrotlet-cloud")
"""Where the installed service keeps its things."""


def _state_home() -> Path:
    """The installed service's folder for who may write there, which is root; else the user's own."""
    if "XDG_STATE_HOME" not in os.environ and os.access(INSTALLED_STATE_DIR, os.W_OK | os.X_OK):
        return INSTALLED_STATE_DIR
    return _home("XDG_STATE_HOME", ".local/state")


class Server(msgspec.Struct, frozen=True):
    """Where it listens, and how much it takes on."""

    listen: Annotated[str, Meta(description="HOST:PORT to listen on; port 0 picks one.")] = "127.0.0.1:7407"
    enrol_listen: Annotated[
        str,
        Meta(description="HOST:PORT where boards enrol while a code is open; empty: the same host, the next port."),
    ] = ""
    names: Annotated[
        tuple[str, ...],
        Meta(description="Names and addresses for the service's certificate, besides those of this machine."),
    ] = ()
    announce: Annotated[bool, Meta(description="Tell the local network, by mDNS, that there is a service.")] = True
    streams_max: Annotated[
        int,
        Meta(ge=0, le=10_000, description="Utterances at a time; one more is refused at once. 0: 32 for each worker."),
    ] = 0
    streams_per_device_max: Annotated[int, Meta(ge=1, le=100, description="Utterances at a time of one board.")] = 4
    connections_max: Annotated[
        int, Meta(ge=1, le=100_000, description="Connections at a time; further ones wait, whoever makes them.")
    ] = 4096
    utterance_s_max: Annotated[int, Meta(ge=1, le=120, description="Longest utterance.")] = 31
    idle_s_max: Annotated[
        float, Meta(gt=0, le=600, description="Longest silence of a client in the middle of an utterance.")
    ] = 15.0
    reflection: Annotated[bool, Meta(description="Let clients such as grpcurl ask what there is.")] = True


class Limits(msgspec.Struct, frozen=True):
    """What one board may send; more is refused at once, and welcome later."""

    utterances_per_minute_max: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Utterances in a minute; from the spool, half as many.")
    ] = 600
    megabytes_per_minute_max: Annotated[
        int, Meta(ge=1, le=100_000, description="Frames in a minute; live speech is a tenth of a megabyte.")
    ] = 32
    feedback_per_minute_max: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Times in a minute that something is said of an answer.")
    ] = 120
    replay_share_max: Annotated[
        float, Meta(ge=0, le=1, description="Share of a board's streams for utterances from its spool; one at least.")
    ] = 0.5


class Group(msgspec.Struct, frozen=True):
    """Boards of one household, or of one person."""

    name: Annotated[str, Meta(pattern="^[A-Za-z0-9._-]{1,64}\\Z", description="Of the group.")]
    devices: Annotated[
        tuple[str, ...],
        Meta(
            min_length=1,
            description="Its boards, by name; that of a machine with parrotlet-edge page stands for all of its phones.",
        ),
    ]


class Boards(msgspec.Struct, frozen=True):
    """Which boards belong together: pages of a group show what any of its boards is answered, and what several have
    heard is done once."""

    groups: Annotated[tuple[Group, ...], Meta(description="Groups of boards; a board is in one of them.")] = ()


class Decoding(msgspec.Struct, frozen=True):
    """The worker processes."""

    workers: Annotated[
        int,
        Meta(
            ge=0,
            le=256,
            description="Processes that run pocketsphinx. 0: one for each processor that has 1 GiB of memory.",
        ),
    ] = 0
    whisper: Annotated[bool, Meta(description="Use Whisper where its weights are.")] = True
    whisper_workers: Annotated[
        int, Meta(ge=0, le=256, description="Processes that run Whisper. 0: half as many as run pocketsphinx.")
    ] = 0
    whisper_model: Annotated[str, Meta(description="Name of the weights, as `parrotlet-cloud engines` lists them.")] = (
        "tiny.en"
    )
    whisper_device: Annotated[
        Literal["cpu", "cuda"], Meta(description="What Whisper computes on; where there is no such GPU, the processor.")
    ] = "cpu"
    whisper_compute: Annotated[
        Literal[
            "int8",
            "int8_float32",
            "int8_float16",
            "int8_bfloat16",
            "int16",
            "float16",
            "bfloat16",
            "float32",
            "default",
            "auto",
        ],
        Meta(
            description="Numbers that Whisper computes with, as CTranslate2 calls them; default: as the weights have "
            "them; auto: the fastest here."
        ),
    ] = "int8"
    whisper_threads: Annotated[
        int,
        Meta(ge=1, le=64, description="Threads of each process that runs Whisper; more help one speaker, not many."),
    ] = 1
    languages: Annotated[
        tuple[Annotated[str, Meta(pattern="^[a-z]{2,3}\\Z")], ...],
        Meta(
            min_length=1,
            description="Languages spoken, first parts of BCP 47; of several, the one that is heard. With others than "
            "en, Whisper alone is asked, by weights such as base; then nothing is shown before the final.",
        ),
    ] = ("en",)
    more_engines: Annotated[
        tuple[str, ...],
        Meta(description="Modules of further engines, asked beside the others: see cloud/decoders/__init__.py."),
    ] = ()
    whisper_queue_max: Annotated[
        int, Meta(ge=1, le=100, description="Utterances that wait for Whisper; beyond, pocketsphinx answers.")
    ] = 8
    answer_s_max: Annotated[
        float,
        Meta(
            gt=0, le=600, description="Longest decoding after the end of an utterance; what is there by then answers."
        ),
    ] = 30.0
    wedged_s: Annotated[
        float, Meta(ge=1, le=600, description="A worker that owes an answer and says nothing for so long is replaced.")
    ] = 20.0


class Domains(msgspec.Struct, frozen=True):
    """What is understood and found."""

    serve: Annotated[
        tuple[str, ...],
        Meta(min_length=1, description="Names of shipped domains, or folders; the first is the default."),
    ] = ("home", "coffee")


class Storage(msgspec.Struct, frozen=True):
    """What it keeps."""

    state_dir: Annotated[Path, Meta(description="Holds the utterance log, the indexes and the keys.")] = _state_home()
    answers_max: Annotated[
        int, Meta(ge=1, le=100_000_000, description="Answers that are kept; of more, the oldest are erased.")
    ] = 100_000
    answers_days_max: Annotated[int, Meta(ge=1, le=36_500, description="How long an answer is kept.")] = 90
    # Speech can be made of them again: they are as private as what was said.
    features_share: Annotated[
        float, Meta(ge=0, le=1, description="Of how many utterances the frames are kept, to learn from; 0: of none.")
    ] = 0.0
    features_days_max: Annotated[int, Meta(ge=1, le=36_500, description="How long frames are kept.")] = 30
    features_megabytes_max: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Room for them; of more, the oldest are erased. 1 MB is 13 minutes.")
    ] = 1000
    weights_dir: Annotated[Path, Meta(description="Holds the weights that were fetched.")] = (
        _home("XDG_DATA_HOME", ".local/share") / "weights"
    )

    @property
    def pki_dir(self) -> Path:
        """Of the authority: keys, certificates, enrolled boards."""
        return self.state_dir / "pki"

    @property
    def index_dir(self) -> Path:
        return self.state_dir / "index"

    @property
    def bundle_dir(self) -> Path:
        return self.state_dir / "bundles"

    @property
    def board_models_dir(self) -> Path:
        """Of models that were offered to boards, NAME/VERSION."""
        return self.state_dir / "board-models"


class Monitoring(msgspec.Struct, frozen=True):
    """What whoever supervises the service may ask, by HTTP: /metrics, /healthz, /readyz. Nothing of what was said."""

    listen: Annotated[
        str, Meta(description="HOST:PORT to listen on, such as 127.0.0.1:7410; empty: nobody can ask.")
    ] = ""


class Drift(msgspec.Struct, frozen=True):
    """What is watched of what comes in, board by board, and of what was right."""

    watch: Annotated[bool, Meta(description="Tell when a board hears otherwise than it used to, and why.")] = True
    labels_a_day: Annotated[
        float, Meta(ge=0, le=10_000, description="Utterances a day that somebody is asked to label; 0: none.")
    ] = 10.0


class Alerts(msgspec.Struct, frozen=True):
    """Who is told when something has changed, besides the log: once a cause, and once more when it is over."""

    webhook_url: Annotated[
        str,
        Meta(
            pattern="^(https?://[^\\s@#]+)?\\Z",
            description="Where alerts are posted to; by http:// everybody on the way can read them. Empty: nowhere.",
        ),
    ] = ""
    webhook_secret_file: Annotated[
        Path | None, Meta(description="Holds the secret by which they are signed; unset: they are not.")
    ] = None
    webhook_ca_file: Annotated[
        Path | None, Meta(description="Certificate of the authority of who answers there; unset: this machine's.")
    ] = None
    mqtt_address: Annotated[str, Meta(description="HOST:PORT of a broker that is told; empty: none.")] = ""
    mqtt_user: Annotated[str, Meta(max_length=256, description="Who the service is to it; empty: nobody.")] = ""
    mqtt_password: Annotated[str, Meta(max_length=256, description="The user's password; never shown.")] = ""
    mqtt_tls: Annotated[bool, Meta(description="false: everybody on the way can read it, and the password.")] = True
    mqtt_ca_file: Annotated[
        Path | None, Meta(description="Certificate of the broker's authority; unset: this machine's.")
    ] = None
    mqtt_topic: Annotated[
        str,
        Meta(
            pattern="^[A-Za-z0-9._-]{1,64}(/[A-Za-z0-9._-]{1,64}){0,7}\\Z",
            description="Under it each alert has a topic of its own, by its cause.",
        ),
    ] = "parrotlet/alerts"


class Operating(msgspec.Struct, frozen=True):
    """The operator's page: how boards hear, what they heard, what is tried. See `parrotlet-cloud operate`."""

    listen: Annotated[
        str,
        Meta(
            description="HOST:PORT to listen on, such as 127.0.0.1:7411; empty: there is no page. Beyond this machine "
            "with certificates alone."
        ),
    ] = ""


class Log(msgspec.Struct, frozen=True):
    """What the service says of itself. Never a transcript above debug."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="Least severe lines that are written.")
    ] = "info"


class CloudSettings(msgspec.Struct, frozen=True):
    """All of it."""

    server: Server = Server()
    limits: Limits = Limits()
    boards: Boards = Boards()
    decoding: Decoding = Decoding()
    domains: Domains = Domains()
    storage: Storage = Storage()
    monitoring: Monitoring = Monitoring()
    drift: Drift = Drift()
    alerts: Alerts = Alerts()
    operating: Operating = Operating()
    log: Log = Log()
