"""What an owner can set on a board. `parrotlet-edge config` prints the effective values."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from common.settings import AT_LEAST, AT_MOST
from protos.name import NAME_OR_NONE

ENVIRONMENT_PREFIX = "PARROTLET_EDGE"
SYSTEM_FILE = Path("/etc/parrotlet/edge.toml")
SECRETS = frozenset({"mqtt.password"})
"""Settings that are shown to nobody."""
MODELS_DIR = Path(__file__).parents[1] / "models" / "files"
"""Lies beside the code, in a checkout and where scripts/install has put it."""


class Device(msgspec.Struct, frozen=True):
    """Who this board is, and where it keeps its things."""

    id: Annotated[
        str,
        Meta(pattern=NAME_OR_NONE, description="Name of this board; empty: made from the machine id."),
    ] = ""
    runtime_dir: Annotated[Path, Meta(description="Holds the control socket, edge.sock.")] = Path("/run/parrotlet-edge")
    state_dir: Annotated[
        Path, Meta(description="Holds what was said and not answered yet, and the board's keys; outlives a restart.")
    ] = Path("/var/lib/parrotlet-edge")


class Microphone(msgspec.Struct, frozen=True):
    """The sound device."""

    device: Annotated[
        str,
        Meta(
            description="Name (or a part of it) or number as `parrotlet-edge devices` lists them; empty: the default."
        ),
    ] = ""
    # A try costs 30 ms of one x86-64 core. Heard again within 5 s of being plugged in.
    reopen_s_max: Annotated[
        float, Meta(ge=1, le=300, description="Longest pause between two tries to open a device that went away.")
    ] = 4.0


class Vad(msgspec.Struct, frozen=True):
    """The gate that tells speech from silence."""

    aggressiveness: Annotated[
        int, Meta(ge=0, le=3, description="Higher lets less noise through, and less quiet speech.")
    ] = 2
    model: Annotated[
        str,
        Meta(
            pattern="^[A-Za-z0-9._-]{0,20}\\Z",
            description="Folder of local.model_dir, or of the models that came with this program, with a model of kind "
            "speech that judges what stands out, such as speech-v1; empty: a small network that needs no interpreter.",
        ),
    ] = ""


class Segmenter(msgspec.Struct, frozen=True):
    """How utterances are cut out."""

    pre_roll_ms: Annotated[int, Meta(ge=0, le=1000, description="Sound kept from before the onset.")] = 400
    # The gate may take its first five blocks for speech, whatever they are; an onset is longer.
    onset_ms: Annotated[int, Meta(ge=20, le=500, description="Speech it takes to start an utterance.")] = 120
    early_ms: Annotated[
        int, Meta(ge=60, le=1000, description="Silence after which speech seems over, and the answer is prepared.")
    ] = 160
    hang_over_ms: Annotated[
        int,
        Meta(
            ge=100,
            le=3000,
            description="Silence it takes to end an utterance when nobody knows its words; a third of the way from the "
            "shortest to this after a falling voice.",
        ),
    ] = 700
    hang_over_ms_min: Annotated[
        int,
        Meta(
            ge=100,
            le=3000,
            description="The same after words that are a whole sentence; the shortest.",
            extra={AT_MOST: "segmenter.hang_over_ms"},
        ),
    ] = 400
    hang_over_ms_max: Annotated[
        int,
        Meta(
            ge=100,
            le=3000,
            description="The same in the middle of a phrase or a number; the longest.",
            extra={AT_LEAST: "segmenter.hang_over_ms"},
        ),
    ] = 900
    # The shortest limit has room for the longest of the other three (an onset may take twice its time).
    utterance_s_max: Annotated[
        int, Meta(ge=5, le=30, description="Longest utterance; longer speech is cut into ones that follow on.")
    ] = 28


class Activation(msgspec.Struct, frozen=True):
    """What decides that the board listens."""

    mode: Annotated[
        Literal["always", "button", "wake"],
        Meta(
            description="always: whenever somebody speaks; button: only after a press; wake: only after the wake word, "
            "or a press."
        ),
    ] = "always"
    window_s: Annotated[float, Meta(ge=1, le=60, description="How long a press or the wake word waits for speech.")] = (
        8.0
    )
    gpio: Annotated[
        int, Meta(ge=-1, le=53, description="GPIO line of a button to ground, by BCM number; -1: none.")
    ] = -1


class Wake(msgspec.Struct, frozen=True):
    """The wake word, where activation.mode is wake."""

    phrase: Annotated[
        str,
        Meta(
            pattern="^[A-Za-z0-9._ -]{1,64}\\Z",
            description="okay nabu, hey jarvis, hey mycroft, alexa, or a folder of local.model_dir with a model of "
            "kind wake.",
        ),
    ] = "okay nabu"
    threshold: Annotated[
        float,
        Meta(ge=0, le=0.999, description="Probability above which it counts as heard; 0: as its model says."),
    ] = 0.0


class Mute(msgspec.Struct, frozen=True):
    """What closes the microphone, besides the command `mute`."""

    gpio: Annotated[
        int, Meta(ge=-1, le=53, description="GPIO line of a switch to ground that mutes, by BCM number; -1: none.")
    ] = -1


class Service(msgspec.Struct, frozen=True):
    """Whoever is asked."""

    address: Annotated[str, Meta(description="HOST:PORT of the service; empty: none.")] = ""
    domain: Annotated[
        str, Meta(pattern=NAME_OR_NONE, description="Domain to ask in; empty: the service's own default.")
    ] = ""
    language: Annotated[
        str, Meta(pattern="^[A-Za-z0-9-]{0,35}\\Z", description="Language spoken, as BCP 47; empty: the service's own.")
    ] = ""
    connect_s_max: Annotated[
        float, Meta(ge=0.1, le=60, description="Longest wait for one connection to the service.")
    ] = 3.0
    reach_s_max: Annotated[
        float, Meta(ge=0, le=120, description="How long a service that cannot be reached is tried again.")
    ] = 8.0
    answer_s_max: Annotated[
        float, Meta(ge=0.5, le=120, description="Longest wait for the final after the endpoint, tries included.")
    ] = 15.0
    tries_max: Annotated[
        int, Meta(ge=1, le=20, description="Times that an utterance is sent to a service that breaks over it.")
    ] = 5
    words_s_max: Annotated[
        float, Meta(ge=0.1, le=60, description="Longest wait for the first words before the next service is asked too.")
    ] = 2.5
    final_s_max: Annotated[
        float, Meta(ge=0.1, le=60, description="Longest wait for the final before the next service is asked too.")
    ] = 2.0


class Cloud(Service, frozen=True):
    """The service."""

    address: Annotated[str, Meta(description="HOST:PORT of the service; empty: none.")] = "127.0.0.1:7407"
    levels: Annotated[
        Literal[12, 10, 16, 24],
        Meta(description="Levels of what is sent; 10 save a seventh of the bytes on a thin link, and cost some words."),
    ] = 12


class House(Service, frozen=True):
    """Another service, on the board or in the same house: asked when the first takes too long or is not there."""


class Local(msgspec.Struct, frozen=True):
    """The board's own model: answers a few commands when no service does."""

    model: Annotated[
        str,
        Meta(
            pattern="^[A-Za-z0-9._-]{0,64}\\Z",
            description="Folder of local.model_dir with the model that knows the commands; empty: none.",
        ),
    ] = "home-v1"
    model_dir: Annotated[Path, Meta(description="Holds a folder for each model, with model.tflite and card.json.")] = (
        MODELS_DIR
    )
    updates: Annotated[
        bool,
        Meta(
            description="Versions of it that the service offers are fetched, tried and taken, where they are no worse; "
            "what is worse goes back by itself."
        ),
    ] = True


class Spool(msgspec.Struct, frozen=True):
    """What was said and is not acknowledged yet; kept in device.state_dir."""

    megabytes_max: Annotated[
        int, Meta(ge=1, le=10_000, description="Room on the disk; of more, the oldest is dropped. 1 MB is 13 minutes.")
    ] = 64
    commit_ms: Annotated[
        int, Meta(ge=0, le=10_000, description="Speech that a power cut may cost; less wears out an SD card sooner.")
    ] = 2000
    shelf_life_s: Annotated[
        float, Meta(ge=0, le=86_400, description="How long after it was said an answer is still shown and acted on.")
    ] = 120.0
    replay_streams_max: Annotated[
        int, Meta(ge=1, le=16, description="Utterances at a time that are sent after an outage.")
    ] = 1
    replay_jitter_s_max: Annotated[
        float, Meta(ge=0, le=600, description="Longest pause before the first of them, so that boards do not stampede.")
    ] = 10.0
    answers_max: Annotated[int, Meta(ge=1, le=100_000, description="Answers that are kept for whoever shows them.")] = (
        1000
    )
    days_max: Annotated[
        int, Meta(ge=1, le=3650, description="After so many days what was said and answered is erased on the board.")
    ] = 30
    sound_days: Annotated[
        int, Meta(ge=0, le=3650, description="How many days the sound of what was said is kept, to learn from; 0: not.")
    ] = 0
    sound_megabytes_max: Annotated[
        int, Meta(ge=1, le=100_000, description="Room for it; of more, the oldest is erased. 1 MB is half a minute.")
    ] = 256


_SINK_NAME = Annotated[
    str, Meta(pattern="^[a-z0-9-]{1,32}\\Z", description="What it is called in the log; not as another.")
]
_PATTERNS = Annotated[
    tuple[str, ...], Meta(min_length=1, description='Which actions it does, such as "light.*"; "*" is all of them.')
]
_CA_FILE = Annotated[
    Path | None, Meta(description="Certificate of the authority that proves who answers; unset: the system's ones.")
]


class Webhook(msgspec.Struct, frozen=True):
    """An address that actions are posted to."""

    name: _SINK_NAME
    url: Annotated[
        str,
        Meta(pattern="^https?://[^\\s@#]+\\Z", description="Where to; by http:// everybody on the way can read it."),
    ]
    actions: _PATTERNS = ("*",)
    secret_file: Annotated[
        Path | None, Meta(description="Holds the secret by which it is signed; unset: it is not signed.")
    ] = None
    ca_file: _CA_FILE = None
    try_s_max: Annotated[float, Meta(ge=0.1, le=60, description="Longest wait for the answer to one try.")] = 5.0


class Program(msgspec.Struct, frozen=True):
    """A program of this board that does actions."""

    name: _SINK_NAME
    command: Annotated[
        tuple[str, ...],
        Meta(
            min_length=1,
            description="The program, from /, and its arguments; no shell. {action}, {intent}, {transcript}, "
            "{response}, {utterance_id}, {device_id}, or a slot's name in braces, is a whole argument.",
        ),
    ]
    actions: _PATTERNS
    time_s_max: Annotated[float, Meta(ge=0.1, le=600, description="After so long it is ended.")] = 10.0


class Actions(msgspec.Struct, frozen=True):
    """What does what was understood; the broker is set under [mqtt]."""

    dry_run: Annotated[bool, Meta(description="Nothing is done, and the log says what would have been.")] = False
    age_s_max: Annotated[
        float, Meta(ge=1, le=86_400, description="How long after it was said an action may still begin.")
    ] = 60.0
    webhooks: Annotated[tuple[Webhook, ...], Meta(description="Addresses that actions are posted to.")] = ()
    programs: Annotated[tuple[Program, ...], Meta(description="Programs of this board that do actions.")] = ()


class Mqtt(msgspec.Struct, frozen=True):
    """A broker that is told how the board is and what it shall do; Home Assistant finds the board there."""

    address: Annotated[str, Meta(description="HOST:PORT of the broker; empty: none.")] = ""
    user: Annotated[
        str, Meta(max_length=256, description="Who the board is to the broker; empty: it does not say.")
    ] = ""
    password: Annotated[str, Meta(max_length=256, description="The user's password; never shown.")] = ""
    tls: Annotated[bool, Meta(description="false: everybody on the way can read what is told, and the password.")] = (
        True
    )
    ca_file: _CA_FILE = None
    prefix: Annotated[
        str,
        Meta(
            pattern="^[A-Za-z0-9._-]{1,64}(/[A-Za-z0-9._-]{1,64}){0,7}\\Z",
            description="Topics begin with it; the board's name comes next.",
        ),
    ] = "parrotlet"
    discovery: Annotated[
        str, Meta(pattern=NAME_OR_NONE, description="Where Home Assistant looks for devices; empty: it is not told.")
    ] = "homeassistant"
    actions: Annotated[
        tuple[str, ...], Meta(description='Which actions are published, such as "light.*"; empty: none.')
    ] = ("*",)
    transcripts: Annotated[bool, Meta(description="Whether the broker is told what was said.")] = True


class Wyoming(msgspec.Struct, frozen=True):
    """`parrotlet-edge wyoming`: for homes that speak Wyoming."""

    listen: Annotated[
        str,
        Meta(
            description="HOST:PORT to listen on; empty: port 10300, or 10700 as a satellite, of this machine alone. "
            "Wyoming has no encryption."
        ),
    ] = ""
    clients_max: Annotated[int, Meta(ge=1, le=64, description="Clients at a time that may have speech under way.")] = 4


class Answer(msgspec.Struct, frozen=True):
    """How the board answers where one stands."""

    # A board that always listens hears every talk in the room: nobody wants a sound after each sentence of it.
    sounds: Annotated[
        Literal["asked", "always", "off"],
        Meta(
            description="Small sounds for heard, understood, not understood, offline: asked: where a press or the wake "
            "word asked the board to listen; off: none but the ring of a timer."
        ),
    ] = "asked"
    volume_db: Annotated[float, Meta(ge=-60, le=0, description="Of sounds and voice; 0 is the loudest.")] = -12.0
    device: Annotated[
        str, Meta(description="Loudspeaker: its name (or a part of it) or number; empty: the default.")
    ] = ""
    voice: Annotated[
        Literal["off", "espeak-ng", "piper"], Meta(description="Program that speaks answers, where it is installed.")
    ] = "off"
    voice_name: Annotated[
        str,
        Meta(
            pattern="^(?!-)[^\\x00-\\x1f]{0,255}\\Z",
            description="A voice of espeak-ng, such as en-us+f3 (empty: en), or a model file of piper, FILE.onnx.",
        ),
    ] = ""
    says: Annotated[
        Literal["response", "title", "snippet"],
        Meta(
            description="What is spoken: the domain's response; where there is none, title or text of what was found."
        ),
    ] = "response"
    light: Annotated[
        str,
        Meta(
            pattern="^(off|gpio:[0-9]{1,2}|led:[A-Za-z0-9_.:-]{1,64}|apa102:[0-9]{1,3}(:[0-9]{1,2})?)\\Z",
            description="Shows what the board does: off; gpio:N, an LED on BCM line N; led:NAME, one of "
            "/sys/class/leds; apa102:N, N lights of a microphone HAT on SPI; apa102:N:P, powered by BCM line P.",
        ),
    ] = "off"


class Page(msgspec.Struct, frozen=True):
    """The page for phones that are paired: answers as they come, and the phone's microphone."""

    listen: Annotated[
        str, Meta(description="HOST:PORT to serve the page on, such as 0.0.0.0:7409; empty: there is no page.")
    ] = ""
    names: Annotated[
        tuple[str, ...],
        Meta(description="Names and addresses the page is opened by, beside the machine's own; the first is shown."),
    ] = ()
    certificate_file: Annotated[
        Path | None,
        Meta(description="Your own certificate, PEM, with what leads to its authority; unset: the board makes one."),
    ] = None
    key_file: Annotated[Path | None, Meta(description="The private key of page.certificate_file, PEM.")] = None
    tls: Annotated[bool, Meta(description="false: plain HTTP, where page.listen is this machine alone.")] = True
    phones_max: Annotated[int, Meta(ge=1, le=1000, description="Phones that may be paired at a time.")] = 50
    speaking_max: Annotated[
        int, Meta(ge=0, le=32, description="Phones that may speak at a time; 0: their microphones are not used.")
    ] = 8


class Monitoring(msgspec.Struct, frozen=True):
    """What whoever supervises the board may ask, by HTTP: /metrics, /healthz, /readyz. Nothing of what was said."""

    listen: Annotated[
        str, Meta(description="HOST:PORT to listen on, such as 127.0.0.1:7410; empty: nobody can ask.")
    ] = ""


class Log(msgspec.Struct, frozen=True):
    """What the board says of itself. Never a transcript above debug."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="Least severe lines that are written.")
    ] = "info"


class EdgeSettings(msgspec.Struct, frozen=True):
    """All of it."""

    device: Device = Device()
    microphone: Microphone = Microphone()
    vad: Vad = Vad()
    segmenter: Segmenter = Segmenter()
    activation: Activation = Activation()
    wake: Wake = Wake()
    mute: Mute = Mute()
    cloud: Cloud = Cloud()
    house: House = House()
    local: Local = Local()
    spool: Spool = Spool()
    actions: Actions = Actions()
    mqtt: Mqtt = Mqtt()
    wyoming: Wyoming = Wyoming()
    answer: Answer = Answer()
    page: Page = Page()
    monitoring: Monitoring = Monitoring()
    log: Log = Log()
