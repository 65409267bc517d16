"""The operator's page: who gets in, who does not, and what it says of boards and utterances."""

import asyncio
import errno
import re
import socket
import ssl
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import msgspec
import pytest
from click.testing import CliRunner, Result
from markupsafe import Markup

from benchmarks.made_log import DAY_US, Made, drawn_levels, make_log, rows
from benchmarks.made_operator import made_operator, made_settings, now_us, signed_in
from benchmarks.path import service
from benchmarks.victims import free_port
from cloud import web_port
from cloud.__main__ import main
from cloud.changing.board_operations import BoardOperations
from cloud.changing.gate import Rules
from cloud.changing.operations import WHISPER_SUBJECT
from cloud.changing.rollout_store import FILE_NAME as ROLLOUTS
from cloud.changing.rollout_store import RolloutStore
from cloud.keys.boards import Boards
from cloud.keys.names import own_names
from cloud.keys.pki_folder import create
from cloud.log.answer_log import FILE_NAME
from cloud.log.answer_store import AnswerStore, Row
from cloud.log.summary import Board, Heard, Usual
from cloud.operating.guard import HEADERS, STRANGER, Guard, set_cookie
from cloud.operating.hearing import hearing
from cloud.operating.operators import LINK_S, SESSION_S, NotSignedIn, Operators
from cloud.operating.pages import fleet
from cloud.operating.port import operating
from cloud.operating.seams import Command, Drifted, Plot, ToLabel
from cloud.settings import Operating
from common.errors import IdentityError, SettingsError
from protos import speech_pb2
from tests.board_models import version
from tests.conftest import Built

SCRIPT = "<script>document.title='broken into'</script><img src=x onerror=alert(1)>"
KITCHEN = Made("kitchen", "", -60.0, -30.0)
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
PAGES = ("/", "/search", "/models", "/models/step", "/capacity", "/drift", "/errors", "/labels", "/board", "/utterance")


class Answer(NamedTuple):
    status: int
    text: str
    headers: dict[str, str]


class Drift:
    def drifted(self) -> list[Drifted]:
        plot = Plot("Noise floor, dBFS", "usual: −62 to −56", Markup('<svg class="plot"></svg>'))
        commands = (Command("Collect", "parrotlet-cloud log export --device kitchen"),)
        told = Drifted("kitchen", "kitchen", f"A dishwasher runs. {SCRIPT}", 1, None, commands, (plot,))
        return [told, Drifted("hall", "hall", "It echoes.", 1, None, commands, came_of_it="More is wrong.")]


class Labels:
    def __init__(self) -> None:
        self.taken: list[tuple[str, ...]] = []
        self.draws = 0

    def waiting(self, limit: int) -> list[ToLabel]:
        return [ToLabel("kitchen", "u000007", SCRIPT, "The service was unsure.")]

    def draw(self) -> int:
        self.draws += 1
        return self.draws % 2

    def needs(self) -> str:
        return "68 more labels tell it."

    def take(self, *label: str) -> None:
        self.taken.append(label)


class Site:
    """A page, and a browser before it."""

    def __init__(self, address: str, operators: Operators, folder: Path, labels: Labels | None = None) -> None:
        self.labels = labels or Labels()
        self.address, self.operators, self.folder = address, operators, folder
        self.host = urlsplit(address).netloc

    def ask(self, path: str, form: dict[str, str] | None = None, *, cookie: str = "", **headers: str) -> Answer:
        """Follows nothing; `form` is sent as our own page sends it."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        body = None
        if form is not None:
            body = urlencode(form).encode()
            given = {"origin": self.address, "content-type": "application/x-www-form-urlencoded"} | given
        if cookie:
            given["cookie"] = f"parrotlet-operator={cookie}"
        with closing(HTTPConnection(self.host, timeout=20)) as connection:
            connection.request("GET" if form is None else "POST", path, body, given)
            response = connection.getresponse()
            return Answer(response.status, response.read().decode(errors="replace"), dict(response.getheaders()))

    def signed_in(self) -> str:
        return signed_in(self.operators)[1]


def kept(folder: Path, made: list[Row]) -> None:
    with closing(AnswerStore(folder / FILE_NAME)) as store:
        store.add(made, 10_000)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """With one board, which said 60 things."""
    make_log(tmp_path, [KITCHEN], 60, now_us())
    labels = Labels()
    with made_operator(made_settings(tmp_path), Drift(), labels) as (address, operators):
        yield Site(address, operators, tmp_path, labels)


def test_a_link_signs_one_browser_in_once(site: Site) -> None:
    token = site.operators.invite("ada")
    door = site.ask(f"/enter?link={token}")
    assert (door.status, "Sign this browser in?" in door.text) == (200, True)
    # Who looks at links before people do uses nothing up.
    assert site.ask(f"/enter?link={token}").status == 200
    entered = site.ask("/enter", {"link": token})
    assert (entered.status, entered.headers["location"]) == (303, "/")
    name, _, rest = entered.headers["set-cookie"].partition("=")
    cookie, *attributes = rest.split("; ")
    assert name == "parrotlet-operator"
    assert {"Path=/", "HttpOnly", "SameSite=Strict"} <= set(attributes)
    assert "kitchen" in site.ask("/", cookie=cookie).text
    assert site.ask("/enter", {"link": token}).status == 403
    again = site.ask(f"/enter?link={token}")
    assert (again.status, "parrotlet-cloud operate" in again.text, "Not here" in again.text) == (403, True, False)
    # Who is in is led in.
    led = site.ask(f"/enter?link={token}", cookie=cookie)
    assert (led.status, led.headers["location"]) == (303, "/")
    assert token not in (site.folder / "operators.json").read_text()
    assert cookie not in (site.folder / "operators.json").read_text()
    assert (site.folder / "operators.json").stat().st_mode & 0o077 == 0


def test_a_browser_that_is_signed_out_is_a_stranger(site: Site) -> None:
    first, second = site.signed_in(), site.signed_in()
    left = site.ask("/leave", {}, cookie=first)
    assert "Max-Age=0" in left.headers["set-cookie"]
    assert site.ask("/", cookie=first).status == 401
    assert site.ask("/", cookie=second).status == 200
    (session,) = site.operators.all()
    site.operators.revoke(session.id)
    assert site.ask("/", cookie=second).status == 401


@pytest.mark.parametrize("page", [*PAGES, "/utterance/spectrogram.png", "/nothing"])
def test_strangers_are_told_one_sentence(site: Site, page: str) -> None:
    for cookie in ("", "x", "kitchen"):
        answer = site.ask(page, cookie=cookie)
        assert (answer.status, answer.text) == (401, f"{STRANGER}\n")
        assert set(HEADERS) <= set(answer.headers)
        shown = site.ask(page, cookie=cookie, accept="text/html,*/*;q=0.8")
        assert (shown.status, "parrotlet-cloud operate" in shown.text, "<nav" in shown.text) == (401, True, False)
        assert set(HEADERS) <= set(shown.headers)
    led = site.ask(page, accept="text/html", sec_fetch_site="cross-site")
    assert (led.status, led.headers["refresh"]) == (401, "0; url=/?again")


def test_another_page_gets_nothing_and_changes_nothing(site: Site) -> None:
    cookie = site.signed_in()
    for headers in ({"origin": "https://evil.example"}, {"origin": "null"}, {"origin": "http://127.0.0.1:1"}):
        assert site.ask("/leave", {}, cookie=cookie, **headers).status == 403
    with closing(HTTPConnection(site.host, timeout=20)) as connection:
        connection.request("POST", "/leave", b"", {"cookie": f"parrotlet-operator={cookie}"})
        assert connection.getresponse().status == 403
    assert site.ask("/", cookie=cookie).status == 200
    assert site.ask("/", cookie=cookie, host=f"evil.example:{site.host.partition(':')[2]}").status == 421
    assert site.ask("/", cookie=cookie, host="127.0.0.1:80").status == 421
    # Whom another page led here has no cookie with it: our own page asks again.
    assert site.ask("/board?id=kitchen", sec_fetch_site="cross-site").headers["refresh"] == "0; url=/?again"
    assert "refresh" not in site.ask("/?again", sec_fetch_site="same-origin").headers


def test_who_asks_too_often_or_too_much_is_refused(site: Site) -> None:
    cookie = site.signed_in()
    assert {site.ask("/").status for _ in range(40)} == {401, 429}
    assert site.ask("/", cookie=cookie).status == 200
    assert site.ask("/models/step", {"why": "x" * 20_000}, cookie=cookie).status == 413


def test_a_request_that_ends_early_does_nothing(tmp_path: Path) -> None:
    sent: list[dict[str, Any]] = []
    messages = iter([{"type": "http.request", "body": b"why=be", "more_body": True}, {"type": "http.disconnect"}])

    async def app(*args: object) -> None:
        raise AssertionError("It was let through.")

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"127.0.0.1:7411"), (b"origin", b"http://127.0.0.1:7411")]
    scope = {"type": "http", "method": "POST", "path": "/enter", "headers": headers, "server": ("127.0.0.1", 7411)}
    guard = Guard(app, Operators(tmp_path / "operators.json"), names=[], tls=False)
    asyncio.run(guard(scope, receive, send))
    assert sent[0]["status"] == 400


def test_with_certificates_it_speaks_tls_and_shows_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_port, "LOOK_S", 0.05)
    authority = create(tmp_path / "pki", own_names())
    AnswerStore(tmp_path / FILE_NAME).close()
    with made_operator(made_settings(tmp_path)) as (address, operators):
        assert address.startswith("https://")
        context = ssl.create_default_context(cadata=authority.trusted().decode())
        cookie = f"__Host-parrotlet-operator={signed_in(operators)[1]}"
        with urllib.request.urlopen(
            urllib.request.Request(address, headers={"cookie": cookie}), context=context, timeout=20
        ) as response:
            assert "No board was heard yet" in response.read().decode()
        place = (urlsplit(address).hostname or "", urlsplit(address).port or 0)
        before = ssl.get_server_certificate(place)
        authority.renew_service(own_names(), now=True)
        until_s = time.monotonic() + 20
        while ssl.get_server_certificate(place) == before:
            assert time.monotonic() < until_s
            time.sleep(0.02)


def test_who_connects_and_says_nothing_is_let_go(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_port, "IDLE_S_MAX", 0.2)
    cookie, (host, _, port) = site.signed_in(), site.host.partition(":")
    silent = [socket.create_connection((host, int(port))) for _ in range(web_port.CONNECTIONS_MAX)]
    silent[0].sendall(b"GET / HTTP/1.1\r\nhost: ")
    for one in silent:
        one.settimeout(20)
        assert one.recv(1) == b""
        one.close()
    assert site.ask("/", cookie=cookie).status == 200


def test_a_running_service_has_the_page(tmp_path: Path, built: Built) -> None:
    listen = f"127.0.0.1:{free_port()}"
    settings = {"decoding_whisper": "false", "decoding_workers": "1", "domains_serve": "home"}
    with service(built(tmp_path), operating_listen=listen, **settings):
        (link,) = operate(tmp_path, listen=listen).stdout.split()
        site = Site(f"http://{listen}", Operators(tmp_path / "operators.json"), tmp_path)
        entered = site.ask("/enter", {"link": link.partition("=")[2]})
        cookie = entered.headers["set-cookie"].partition("=")[2].partition(";")[0]
        assert "No board was heard yet" in site.ask("/", cookie=cookie).text
        capacity = site.ask("/capacity", cookie=cookie).text
        assert "The service keeps up" in capacity
        assert "pocketsphinx" in capacity


def test_a_cookie_over_tls_is_of_this_host_alone() -> None:
    told = set_cookie("x", tls=True)
    assert told.startswith("__Host-parrotlet-operator=x; Path=/;")
    assert told.endswith("; HttpOnly; SameSite=Strict; Secure")


def test_a_browser_is_noted_once_a_day_and_a_damaged_file_lets_nobody_in(site: Site) -> None:
    cookie = site.signed_in()
    (before,) = site.operators.all()
    with site.operators._record.change() as content:
        content.sessions[0].seen_at_unix_s -= 2 * 86_400
    assert site.ask("/capacity", cookie=cookie).status == 200
    (after,) = site.operators.all()
    assert after.seen_at_unix_s >= before.seen_at_unix_s
    file = site.folder / "operators.json"
    file.write_text("{")
    for answer in (
        site.ask("/", cookie=cookie),
        site.ask("/enter?link=x", cookie=""),
        site.ask("/enter", {"link": "x"}),
    ):
        assert answer.status == 503
        assert str(file) not in answer.text


def test_links_and_sessions_end(tmp_path: Path) -> None:
    now = [1000.0]
    operators = Operators(tmp_path / "operators.json", lambda: now[0])
    token = operators.invite("ada")
    now[0] += LINK_S
    assert not operators.is_good(token)
    with pytest.raises(NotSignedIn, match="works once"):
        operators.sign_in(token, peer="here")
    signed = operators.sign_in(operators.invite("ada"), peer="here")
    assert signed.token not in repr(signed)
    now[0] += SESSION_S - 1
    assert operators.by_token(signed.token) is not None
    now[0] += 1
    assert operators.by_token(signed.token) is None
    with pytest.raises(IdentityError, match="No browser is signed in as x"):
        operators.revoke("x")


def operate(folder: Path, *arguments: str, listen: str = "127.0.0.1:7411") -> Result:
    environment = {"PARROTLET_CLOUD_STORAGE_STATE_DIR": str(folder), "PARROTLET_CLOUD_OPERATING_LISTEN": listen}
    return CliRunner().invoke(main, ["operate", *arguments], env=environment)


def test_the_command_prints_links_and_lists_and_revokes_browsers(tmp_path: Path) -> None:
    printed = operate(tmp_path, "--name", "ada")
    (link,) = printed.stdout.split()
    assert link.startswith("http://127.0.0.1:7411/enter?link=")
    for name in ("ada lovelace", "x" * 59, "<b>"):
        # Labels are given by it, and go over the wire.
        refused = operate(tmp_path, "--name", name)
        assert (refused.exit_code, "cannot stand under a label" in refused.stderr) == (2, True)
    operators = Operators(tmp_path / "operators.json")
    session = operators.sign_in(link.partition("=")[2], peer="here").session
    assert f"{session.id}  ada" in operate(tmp_path, "--list").stdout
    assert operate(tmp_path, "--revoke", session.id).stdout == f"The browser of ada ({session.id}) is signed out.\n"
    assert operate(tmp_path, "--revoke", session.id).exit_code == 2
    operators.sign_in(operators.invite("ada"), peer="here")
    operators.invite("bob")
    assert operate(tmp_path, "--revoke-all").stdout == "1 browser is signed out.\n"
    assert "No browser" in operate(tmp_path, "--list").stderr


def test_a_file_of_who_may_look_that_is_anothers_says_sudo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*of: Any) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refuses)
    said = operate(tmp_path, "--list")
    assert (said.exit_code, said.stderr) == (
        2,
        f"{tmp_path / 'operators.json'} cannot be read: Permission denied; try sudo.\n",
    )


def test_a_port_that_is_taken_is_told_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        settings = msgspec.structs.replace(made_settings(tmp_path), operating=Operating(listen))

        async def open_too() -> None:
            async with operating(settings, None):
                pass

        with pytest.raises(SettingsError) as refused:
            asyncio.run(open_too())
    assert str(refused.value).count(listen.partition(":")[2]) == 1
    assert "(Address already in use)" in str(refused.value)


def test_a_link_to_a_page_that_is_not_there_yet_says_so(tmp_path: Path) -> None:
    listen = f"127.0.0.1:{free_port()}"
    silent = operate(tmp_path, listen=listen)
    assert (silent.exit_code, f"Nothing answers on {listen} now" in silent.stderr) == (0, True)
    with socket.create_server(("127.0.0.1", 0)) as there:
        heard = operate(tmp_path, listen=f"127.0.0.1:{there.getsockname()[1]}")
    assert (heard.exit_code, "Nothing answers" in heard.stderr) == (0, False)


def test_there_is_no_link_to_a_page_that_is_closed_or_open_to_listeners(tmp_path: Path) -> None:
    closed = operate(tmp_path, listen="")
    assert (closed.exit_code, "set operating.listen" in closed.stderr) == (2, True)
    everywhere = operate(tmp_path, listen="0.0.0.0:7411")
    assert (everywhere.exit_code, "pki init" in everywhere.stderr) == (2, True)


def test_each_page_of_one_board_says_it_in_words(site: Site) -> None:
    cookie = site.signed_in()
    first = site.ask("/", cookie=cookie).text
    assert "hearing well" in first
    assert '<svg class="plot"' not in first
    board = site.ask("/board?id=kitchen", cookie=cookie).text
    assert board.index("hearing well") < board.index('<svg class="plot"')
    (path, *_) = re.findall(r'href="(/utterance\?[^"]+)"', board)
    one = site.ask(path.replace("&amp;", "&"), cookie=cookie).text
    for told in ("speech, ", "silence before the end", "whisper, the answer", "Versions", "noise_floor_dbfs"):
        assert told in one
    assert "Something else" in one or "(no words)" in one
    searched = site.ask("/search?text=oat&empty=no", cookie=cookie).text
    assert "add oat milk" in searched
    assert "stop the timer" not in searched
    capacity = site.ask("/capacity", cookie=cookie).text
    for told in ("The service is busy", "5 of 128", "too much at a time, or too often"):
        assert told in capacity
    models = site.ask("/models", cookie=cookie).text
    assert "Nothing is tried" in models
    drift = site.ask("/drift", cookie=cookie).text
    assert drift.index("A dishwasher runs.") < drift.index('<svg class="plot"')
    assert drift.index("It echoes.") < drift.index("More is wrong.")
    # Of many that stand, plots of the last ones are drawn.
    assert drift.count("own page</a> has its days") == 1 and drift.index("It echoes.") < drift.index(
        '/board?id=hall">the'
    )
    assert "The service was unsure." in site.ask("/labels", cookie=cookie).text
    assert "tiny.en" in site.ask("/models", cookie=cookie).text


def test_what_is_not_there_is_told_in_a_sentence(site: Site) -> None:
    cookie = site.signed_in()
    for path in ("/board?id=hall", "/utterance?board=kitchen&id=x", "/nothing", "/utterance/spectrogram.png?id=x"):
        answer = site.ask(path, cookie=cookie)
        assert (answer.status, "Not here" in answer.text) == (404, True)
    assert site.ask("/search?before=x&since=never&snr_max=loud&confidence_max=", cookie=cookie).status == 200
    for before in (10**30, -(10**30)):
        assert site.ask(f"/search?before={before}&text=%25", cookie=cookie).status == 200
    # More than any form has.
    assert site.ask("/enter", {str(number): "x" for number in range(40)}).status == 403


def test_without_a_log_there_is_a_sentence_and_with_an_empty_one_a_welcome(tmp_path: Path) -> None:
    with made_operator(made_settings(tmp_path)) as (address, operators):
        site = Site(address, operators, tmp_path)
        cookie = site.signed_in()
        answer = site.ask("/", cookie=cookie)
        assert (answer.status, "There is no utterance log" in answer.text) == (503, True)
        AnswerStore(tmp_path / FILE_NAME).close()
        assert "No board was heard yet" in site.ask("/", cookie=cookie).text
        for path in ("/search", "/models", "/capacity", "/drift", "/labels"):
            assert site.ask(path, cookie=cookie).status == 200


def test_what_comes_from_outside_is_text(site: Site) -> None:
    (row, *_) = rows([KITCHEN], 1, now_us(), drawn_levels)
    assert row.record is not None
    final = speech_pb2.Final(transcript=SCRIPT, explanation=[SCRIPT], intent=speech_pb2.Intent(name=SCRIPT))
    final.alternatives.add(transcript=SCRIPT, engine=SCRIPT)
    final.results.add(id=SCRIPT, title=SCRIPT, score=1)
    final.choices.add(transcript=SCRIPT).intent.name = SCRIPT
    final.intent.slots[SCRIPT] = SCRIPT
    facts = msgspec.structs.replace(row.record.facts, utterance_id="x", intent=SCRIPT, edge_version=SCRIPT)
    record = row.record._replace(facts=facts, transcript=SCRIPT)
    key = row.key._replace(utterance_id="x")
    kept(site.folder, [row._replace(key=key, final=final.SerializeToString(), record=record)])
    cookie = site.signed_in()
    for path in ("/", "/board?id=kitchen", "/utterance?board=kitchen&id=x", "/search", "/drift", "/labels"):
        text = site.ask(path, cookie=cookie).text
        assert "<script" not in text, path
        assert "<img" not in text, path
    query = urlencode({"text": f'"{SCRIPT}', "device_id": SCRIPT, "find": SCRIPT, "state": f'"{SCRIPT}'})
    for path in ("/search", "/"):
        assert "<script" not in site.ask(f"{path}?{query}", cookie=cookie).text


def test_frames_are_a_picture_where_they_are_kept(tmp_path: Path) -> None:
    made = list(rows([KITCHEN], 200, now_us(), drawn_levels))
    kept(tmp_path, made)
    keeps = next(row for row in made if row.record and row.record.features)
    with made_operator(made_settings(tmp_path)) as (address, operators):
        site = Site(address, operators, tmp_path)
        path = f"?board=kitchen&id={keeps.key.utterance_id}"
        cookie = site.signed_in()
        assert "/utterance/spectrogram.png?board=kitchen" in site.ask(f"/utterance{path}", cookie=cookie).text
        picture = urllib.request.Request(
            f"{address}/utterance/spectrogram.png{path}", headers={"cookie": f"parrotlet-operator={cookie}"}
        )
        with urllib.request.urlopen(picture, timeout=20) as response:
            assert response.headers["content-type"] == "image/png"
            assert response.read(8) == b"\x89PNG\r\n\x1a\n"


def test_a_candidate_is_promoted_and_taken_back_with_a_reason_by_its_name(site: Site) -> None:
    with closing(RolloutStore(site.folder / ROLLOUTS)) as store:
        store.begin(WHISPER_SUBJECT, "base", "base", who="bob", why="bigger", share=0.0, automatic=False, rules=Rules())
    cookie = site.signed_in()
    models = site.ask("/models", cookie=cookie).text
    assert "is in the shadow" in models
    (path,) = re.findall(r'href="(/models/step\?[^"]+does=anyway)"', models)
    asked = site.ask(path.replace("&amp;", "&"), cookie=cookie).text
    assert "The gate has not let base through." in asked
    form = dict(HIDDEN.findall(asked))
    nothing = site.ask("/models/step", {**form, "why": " "}, cookie=cookie)
    assert (nothing.status, "Not here" in nothing.text, "A reason is missing" in nothing.text) == (503, False, True)
    assert site.ask("/models/step", {**form, "why": "x", "rollout": "7"}, cookie=cookie).status == 503
    assert site.ask("/models/step", {**form, "why": SCRIPT}, cookie=cookie, origin="http://evil.example").status == 403
    assert site.ask("/models/step", {**form, "why": SCRIPT}).status == 401
    assert site.ask("/models/step", {**form, "why": SCRIPT}, cookie=cookie).headers["location"] == "/models"
    after = site.ask("/models", cookie=cookie).text
    assert "<b>base</b> serves." in after
    assert "ada (page)" in after
    assert "<script" not in after
    # What is done is not done again by who comes back to it.
    assert site.ask("/models/step", {**form, "why": "again"}, cookie=cookie).status == 503
    (path,) = re.findall(r'href="(/models/step\?[^"]+does=rollback)"', after)
    form = dict(HIDDEN.findall(site.ask(path.replace("&amp;", "&"), cookie=cookie).text))
    assert site.ask("/models/step", {**form, "why": "slow"}, cookie=cookie).status == 303
    assert "as the settings say" in site.ask("/models", cookie=cookie).text


def test_what_boards_are_offered_stands_beside_what_the_service_tries(site: Site, tmp_path: Path) -> None:
    owner = BoardOperations(made_settings(site.folder), "bob")
    owner.offer(version(tmp_path, "2"), 1.0, "good")
    owner.offer(version(tmp_path, "3"), 0.3, f"new {SCRIPT}")
    models = site.ask("/models", cookie=site.signed_in()).text
    assert "<b>tones/2</b> is offered to all boards, <b>tones/3</b> to 30\N{NO-BREAK SPACE}% of them." in models
    newest, before = re.findall(r"<b><bdi>(offer .*?)</bdi></b>", models)
    assert (newest, before) == ("offer tones/3 to 30% of the boards", "offer tones/2 to all boards")
    assert "<script" not in models


def test_what_waits_is_chosen_by_a_button_and_it_says_where_there_is_no_more(site: Site) -> None:
    cookie = site.signed_in()
    assert "68 more labels tell it." in site.ask("/labels", cookie=cookie).text
    # Something waits: nobody draws who only looks.
    assert site.labels.draws == 0
    assert site.ask("/labels", {}).status == 401
    first, second = (site.ask("/labels", {}, cookie=cookie).headers["location"] for _ in range(2))
    assert (first, site.labels.draws) == ("/labels", 2)
    assert "Nothing more was chosen" in site.ask(second, cookie=cookie).text


def test_a_label_is_handed_on_once_it_says_something(site: Site) -> None:
    cookie = site.signed_in()
    (path,) = re.findall(r'href="(/label\?[^"]+)"', site.ask("/labels", cookie=cookie).text)
    asked = site.ask(path.replace("&amp;", "&"), cookie=cookie).text
    form = dict(HIDDEN.findall(asked))
    for says, text in (("", "x"), ("text", " "), ("text", "x" * 2001), ("nonsense", "x")):
        assert site.ask("/label", {**form, "says": says, "text": text}, cookie=cookie).status == 503
    assert site.ask("/label", {**form, "says": "right"}).status == 401
    assert site.labels.taken == []
    for says in ("text", "right", "skip"):
        taken = site.ask("/label", {**form, "says": says, "text": f" {SCRIPT} "}, cookie=cookie)
        assert taken.headers["location"] == "/labels"
    key = ("kitchen", "u000007")
    assert site.labels.taken == [(*key, "text", SCRIPT, "ada"), (*key, "right", "", "ada"), (*key, "skip", "", "ada")]


def heard(count: int, **facts: object) -> list[Heard]:
    usual: dict[str, object] = {
        "path": "cloud",
        "replayed": False,
        "was_empty": False,
        "noise_floor_dbfs": -60.0,
        "snr_db": 25.0,
        "confidence": 0.8,
        "endpoint_to_final_ms": 300,
        "edge_version": "0.1.0",
    }
    end_us = 100 * DAY_US
    return [Heard(**{"at_unix_us": end_us - number * DAY_US // 10, **usual, **facts}) for number in range(count)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("newest", "version", "days_later", "words"),
    [
        (heard(20), "0.1.0", 0.1, "hearing well"),
        (heard(20, was_empty=True), "0.1.0", 0.1, "deaf"),
        (heard(20, noise_floor_dbfs=-50.0), "0.1.0", 0.1, "noisier than usual"),
        (heard(20, noise_floor_dbfs=-55.0), "0.1.0", 0.1, "hearing well"),
        (heard(20, noise_floor_dbfs=None), "0.1.0", 0.1, "hearing well"),
        (heard(20, endpoint_to_final_ms=2000), "0.1.0", 0.1, "slow"),
        (heard(20, endpoint_to_final_ms=2000, replayed=True), "0.1.0", 0.1, "hearing well"),
        (heard(20), "0.0.9", 0.1, "old version"),
        (heard(20), None, 0.1, "hearing well"),
        (heard(20), "0.1.0", 3.0, "silent for 3 days"),
        (heard(20, was_empty=True), "0.0.9", 3.0, "deaf"),
        (heard(3), "0.1.0", 0.1, "too new to tell"),
    ],
)
def test_how_a_board_hears_is_said_in_words(
    newest: list[Heard], version: str | None, days_later: float, words: str
) -> None:
    usual = Usual(200, -60.0, 2.0, 80 * DAY_US) if len(newest) > 5 else Usual(0, None, None, None)
    newest = [each._replace(edge_version=version) for each in newest]
    said = hearing(Board("kitchen", newest, usual), round((100 + days_later) * DAY_US), "0.1.0")
    assert said.words == words
    assert said.why


@pytest.mark.parametrize("heard", [0, 20])
def test_a_board_that_enrolled_and_said_nothing_leads_nowhere(tmp_path: Path, heard: int) -> None:
    make_log(tmp_path, [KITCHEN] if heard else [], heard, now_us())
    settings = made_settings(tmp_path)
    settings.storage.pki_dir.mkdir()
    Boards(settings.storage.pki_dir / "boards.json").add("attic", now_us(), DAY_US, replace=False)
    with made_operator(settings) as (address, operators):
        site = Site(address, operators, tmp_path)
        text = site.ask("/", cookie=site.signed_in()).text
    assert "It enrolled, and nothing came of it so far." in text
    assert re.findall(r'href="/board\?id=(\w+)"', text) == ["kitchen"] * bool(heard)
    assert ("parrotlet-edge status" in text) == (not heard)


def test_the_worst_board_stands_first_and_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    boards = [
        Made("hall", "", -60.0, -30.0),
        Made("attic", "deaf", -60.0, -30.0),
        Made("cellar", "noisy", -60.0, -30.0),
    ]
    make_log(tmp_path, boards, 1200, now_us())
    with made_operator(made_settings(tmp_path)) as (address, operators):
        site = Site(address, operators, tmp_path)
        cookie = site.signed_in()
        text = site.ask("/", cookie=cookie).text
        assert "2 of 3 boards need a look" in text
        assert re.findall(r'<th scope="row"><a href="/board\?id=(\w+)"', text) == ["attic", "cellar", "hall"]
        assert re.findall(r'id=(\w+)"', site.ask("/?state=noisy", cookie=cookie).text) == ["cellar"]
        monkeypatch.setattr(fleet, "SHOWN", 2)
        assert ">All 3</a>" in site.ask("/", cookie=cookie).text
        assert "hall" not in site.ask("/", cookie=cookie).text
        assert "hall" in site.ask("/?all", cookie=cookie).text
        assert "No board is like that." in site.ask("/?state=noisy&find=att", cookie=cookie).text
        began_s = time.monotonic()
        site.ask("/", cookie=cookie)
        assert time.monotonic() - began_s < 1
