"""What a call by REST sends, and how each answer is read."""

import json
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from tests.unit.cli import Ran, run
from tests.unit.cli.call.conftest import PROTO
from tests.unit.cli.check.api import in_thread


@dataclass
class Gateway:
    """Notes the last request, and answers as it is told to.

    Attributes:
        line: Verb, path and query as they were sent.
        body: Of the request.
        headers: Of the request.
        answer: Makes the answer.
        port: Where it listens.
    """

    line: str = ""
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    answer: Callable[[], web.Response] = field(default=lambda: web.json_response({}))
    port: int = 0

    async def handle(self, request: web.Request) -> web.Response:
        """Answers a request."""
        self.line = f"{request.method} {request.raw_path}"
        self.body = await request.read()
        self.headers = {name.lower(): value for name, value in request.headers.items()}
        return self.answer()

    def call(self, method: str, data: object, *more: str) -> Ran:
        """Calls a method by REST."""
        where = ("--address", f"127.0.0.1:{self.port}", "--descriptor", str(PROTO))
        given = ("--via", "rest", "-d", json.dumps(data))
        return run("call", f"things.v1.Things/{method}", *where, *given, *more)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A gateway."""
    made = Gateway()
    with in_thread(made.handle) as made.port:
        yield made


SEARCH = "/v1/things:search"


@pytest.mark.parametrize(
    ("method", "data", "line", "body"),
    [
        ("GetThing", {"name": "things/a b&c"}, "GET /v1/things/a%20b%26c", b""),
        (
            "GetThing",
            {"name": "things/1", "displayName": "é?"},
            "GET /v1/things/1?display_name=%C3%A9%3F",
            b"",
        ),
        ("SearchThings", {}, f"GET {SEARCH}", b""),
        (
            "SearchThings",
            {"tags": ["a", "b"], "thing": {"small": 1}, "cursor": "AAE="},
            f"GET {SEARCH}?tags=a&tags=b&thing.small=1&cursor=AAE%3D",
            b"",
        ),
        (
            "SearchThings",
            {"thing": {"name": "a/b", "size": 7, "sizes": {"x": 1}}, "like": []},
            f"GET {SEARCH}?thing.name=a%2Fb&thing.size=7&thing.sizes.x=1",
            b"",
        ),
        (
            "Upload",
            {"name": "files/a/b", "content": {"contentType": "text/x", "data": "aGk="}},
            "POST /v1/files/a/b:upload",
            b"hi",
        ),
        (
            "Upload",
            {"name": "files/a", "replace": True, "content": {"contentType": "text/x"}},
            "POST /v1/files/a:upload?replace=true",
            b"",
        ),
    ],
)
def test_requests(gateway: Gateway, method: str, data: object, line: str, body: bytes) -> None:
    """Path, query and body by the rule (google/api/http.proto)."""
    gateway.call(method, data)

    assert (gateway.line, gateway.body) == (line, body)


def test_the_second_rule(gateway: Gateway) -> None:
    """Where a message does not fit the first one."""
    data = {"thing": {"name": "a", "small": 1}, "like": [{"name": "x"}]}

    gateway.call("SearchThings", data)

    assert gateway.line == "POST /v1/a/things"
    assert json.loads(gateway.body) == {"thing": {"small": 1}, "like": [{"name": "x"}]}


def test_a_response_of_one_field(gateway: Gateway) -> None:
    """It is printed as the message."""
    gateway.answer = lambda: web.Response(body=b"hi", content_type="text/x")

    found = json.loads(gateway.call("Download", {}).out)

    assert found == {"content": {"contentType": "text/x", "data": "aGk="}}


def test_a_rule_that_no_gateway_serves(gateway: Gateway) -> None:
    """Why it is not served."""
    ran = gateway.call("FindThing", {})

    assert ran.code == 2
    assert 'GET /v1/thing: has the response_body "thing", but Envoy supports only' in ran.err


def test_the_type_of_a_body(gateway: Gateway) -> None:
    """Of google.api.HttpBody, in both directions."""
    gateway.answer = lambda: web.Response(body=b"\0\1", content_type="image/x")
    content = {"contentType": "text/x", "data": "aGk="}

    ran = gateway.call("Upload", {"name": "files/a", "content": content})

    assert gateway.headers["content-type"] == "text/x"
    assert json.loads(ran.out) == {"contentType": "image/x", "data": "AAE="}


def _json(text: str, content_type: str = "application/json", status: int = 200) -> web.Response:
    return web.Response(text=text, content_type=content_type, status=status)


@pytest.mark.parametrize(
    ("answer", "out"),
    [
        ('[{"name": "a"},{"small": 1}]', [{"name": "a"}, {"small": 1}]),
        ('{"name": "a"}\n{"small": 1}\n', [{"name": "a"}, {"small": 1}]),
        ("[]", []),
        ('[{"name": "]}\\"["}]', [{"name": ']}"['}]),
        ('[{"of_another_version": 1}]', [{"of_another_version": 1}]),
    ],
)
def test_streams(gateway: Gateway, answer: str, out: list[object]) -> None:
    """An array or lines; what the descriptor does not know is printed as it is."""
    gateway.answer = lambda: _json(answer)

    ran = gateway.call("SearchThings", {})

    assert (ran.code, [json.loads(line) for line in ran.out.splitlines()]) == (0, out)


@pytest.mark.parametrize(
    ("text", "status", "code", "says"),
    [
        ('{"code": 5, "message": "m", "details": [1]}', 404, 1, "error: NOT_FOUND: m\n  1\n"),
        ('{"code": 99}', 400, 1, "error: code 99\n"),
        ("<html>", 502, 1, "error: UNAVAILABLE: <html>\n  The answer is not that of a gateway"),
        ("", 302, 1, "error: UNKNOWN\n  The answer is not that of a gateway (HTTP status 302)"),
        ("<html>", 200, 2, "error: the response is not JSON, but begins with '<html>'"),
        ("[" * 100_000, 200, 2, "error: the response is not JSON"),
    ],
)
def test_errors(gateway: Gateway, text: str, status: int, code: int, says: str) -> None:
    """Also of what is not a gateway."""
    gateway.answer = lambda: _json(text, status=status)

    ran = gateway.call("GetThing", {"name": "things/1"})

    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith(says)


def test_hostile_values_in_a_printed_command(gateway: Gateway) -> None:
    """A shell reads them as the words that they are."""
    hostile = "$(touch x) `y` 'z' \"w\"; \\ \n&#@"
    data = {"thing": {"name": hostile}, "like": [{"name": hostile}]}

    ran = gateway.call("SearchThings", data, "--print", "-H", f"x: {hostile[:24]}")

    words = shlex.split(ran.out)
    (line,) = [word for word in words if word.startswith("http:")]
    assert line == (
        f"http://127.0.0.1:{gateway.port}/v1/%24%28touch%20x%29%20%60y%60%20%27z%27%20%22w%22%3B"
        "%20%5C%20%0A%26%23%40/things"
    )
    assert json.loads(words[words.index("--data-raw") + 1])["like"] == data["like"]
    assert f"x: {hostile[:24]}".strip() in words
    assert words[0] == "curl"


def test_the_deadline(gateway: Gateway) -> None:
    """The gateway knows it."""
    gateway.call("GetThing", {"name": "things/1"}, "--deadline", "1500ms")

    assert gateway.headers["grpc-timeout"] == "1500000u"
