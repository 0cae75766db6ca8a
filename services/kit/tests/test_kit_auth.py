"""Authentication: keys from a file, from a URL, and a shared one."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from grpc_service_kit import ConfigError, Environment, Service, build_server, context
from grpc_service_kit.auth.config import AuthConfig
from grpc_service_kit.auth.key import Key
from grpc_service_kit.auth.keys import Keys, KeySet
from grpc_service_kit.testing.polling import attempts, until
from kit_servers import (
    KINDS,
    NAME,
    EchoServicer,
    add_echo,
    ask,
    calling,
    config,
    eventually,
    failure,
)

SECRET = "s" * 40
RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def jwks(*, algorithms: bool = True, **keys: Any) -> str:
    """Return a key set of public keys by id, with or without `alg`, which is optional."""
    listed = []
    for key_id, key in keys.items():
        kind, name = _algorithm(key)
        parsed = json.loads(kind.to_jwk(key.public_key()))
        listed.append(
            parsed | {"kid": key_id, "use": "sig"} | ({"alg": name} if algorithms else {})
        )
    return json.dumps({"keys": listed})


def _algorithm(key: Any) -> tuple[Any, str]:
    if isinstance(key, rsa.RSAPrivateKey):
        return RSAAlgorithm, "RS256"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return OKPAlgorithm, "EdDSA"
    return ECAlgorithm, "ES256"


def token(key: Any = SECRET, algorithm: str = "HS256", kid: str = "", **claims: Any) -> str:
    """Return a signed token that is good for an hour, unless claims say otherwise."""
    usual = {"aud": "echo", "iss": "tests", "sub": "ada", "exp": int(time.time()) + 3600}
    payload = {name: value for name, value in {**usual, **claims}.items() if value is not None}
    return jwt.encode(payload, key, algorithm, headers={"kid": kid} if kid else None)


def _unsigned() -> str:
    key: Any = None
    return jwt.encode({"aud": "echo", "iss": "tests", "exp": 2**33}, key, "none")


UNSIGNED = _unsigned()


def bearer(text: str) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {text}")]


@pytest.fixture
def shared(tmp_path: Path) -> AuthConfig:
    path = tmp_path / "key"
    path.write_text(f"{SECRET}\n")
    return AuthConfig(shared_key_file=str(path), audience="echo", issuer="tests")


@asynccontextmanager
async def whoami(auth: AuthConfig) -> AsyncIterator[tuple[Any, list[Any]]]:
    """Run a server whose handlers note the claims they see."""
    seen: list[Any] = []

    async def act(_request: Any, _context: Any) -> None:
        seen.append((context.claims.get(), context.authorization.get()))

    async with calling(EchoServicer(act), config(auth=auth)) as channel:
        yield channel, seen


@pytest.mark.parametrize("kind", KINDS)
async def test_a_good_token_gives_its_claims_to_the_handler(kind: str, shared: AuthConfig) -> None:
    text = token(role="admin")
    async with whoami(shared) as (channel, seen):
        await ask(channel, kind, metadata=bearer(text))

    claims, authorization = seen[0]
    assert (claims["sub"], claims["role"], authorization) == ("ada", "admin", f"Bearer {text}")


@pytest.mark.parametrize("kind", KINDS)
async def test_without_a_token_no_handler_runs(kind: str, shared: AuthConfig) -> None:
    async with whoami(shared) as (channel, seen):
        caught = await failure(channel, kind)

    assert caught.code() is grpc.StatusCode.UNAUTHENTICATED
    assert "authorization: Bearer" in str(caught.details())
    assert seen == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rubbish",
        "a.b.c",
        token(exp=int(time.time()) - 60),
        token(exp=None),
        token(aud="others"),
        token(aud=None),
        token(iss="others"),
        token(nbf=int(time.time()) + 600),
        token(key="x" * 40),
        UNSIGNED,
        token(RSA_KEY, "RS256"),
        token(algorithm="HS256")[:-2],
    ],
)
async def test_a_bad_token_is_refused(text: str, shared: AuthConfig) -> None:
    async with whoami(shared) as (channel, seen):
        caught = await failure(channel, "UnaryUnary", metadata=bearer(text))

    assert caught.code() is grpc.StatusCode.UNAUTHENTICATED
    assert SECRET not in str(caught.details())
    assert seen == []


async def test_basic_credentials_are_no_bearer_token(shared: AuthConfig) -> None:
    async with whoami(shared) as (channel, _):
        caught = await failure(channel, "UnaryUnary", metadata=[("authorization", "Basic YTpi")])

    assert (caught.code(), "Bearer" in str(caught.details())) == (
        grpc.StatusCode.UNAUTHENTICATED,
        True,
    )


async def test_a_token_that_was_good_is_refused_once_it_has_expired(
    shared: AuthConfig,
) -> None:
    """The leeway for clocks is 30 s: this one has seconds left of it."""
    async with whoami(shared) as (channel, seen):
        for attempt in attempts(2, 5, 25):
            with attempt:
                text = token(exp=int(time.time() - 30 + attempt.seconds))
                await ask(channel, "UnaryUnary", metadata=bearer(text))
        await eventually(lambda: time.time() > jwt_exp(text) + 30)
        caught = await failure(channel, "UnaryUnary", metadata=bearer(text))

    assert caught.code() is grpc.StatusCode.UNAUTHENTICATED
    assert len(seen) == 1


def jwt_exp(text: str) -> float:
    return float(jwt.decode(text, options={"verify_signature": False})["exp"])


@pytest.mark.parametrize("public", [f"{NAME}/UnaryUnary", f"{NAME}/*"])
async def test_public_methods_need_no_token(public: str, shared: AuthConfig) -> None:
    auth = AuthConfig(
        shared_key_file=shared.shared_key_file,
        audience="echo",
        public_methods=frozenset({public}),
    )
    async with whoami(auth) as (channel, seen):
        assert await ask(channel, "UnaryUnary") == ["x"]
        others = [await failure_or_none(channel, kind) for kind in KINDS[1:]]

    assert seen[0] == (None, None)
    expected = None if public.endswith("*") else grpc.StatusCode.UNAUTHENTICATED
    assert set(others) == {expected}


async def failure_or_none(channel: grpc.aio.Channel, kind: str) -> grpc.StatusCode | None:
    try:
        await ask(channel, kind)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return None


async def test_a_public_method_that_does_not_exist_stops_the_start(shared: AuthConfig) -> None:
    auth = AuthConfig(
        shared_key_file=shared.shared_key_file,
        audience="echo",
        public_methods=frozenset({f"{NAME}/Unary"}),
    )
    with pytest.raises(ConfigError, match=f"AUTH_PUBLIC_METHODS: {NAME}/Unary"):
        build_server(config(auth=auth), Service(add_echo, EchoServicer()))


@pytest.mark.parametrize(
    "name", ["grpc.shop.v1.Echo", "grpc.reflection.v2.Echo", "grpc.health.v1.Echo", "grpc.Echo"]
)
async def test_a_service_with_a_name_like_grpcs_own_needs_a_token_too(
    name: str, shared: AuthConfig
) -> None:
    """Only what the kit itself serves needs none, and no name makes a service that."""
    add = partial(add_echo, name=name)
    async with calling(EchoServicer(), config(auth=shared), add=add) as channel:
        caught = await failure(channel, "UnaryUnary", service=name)
        good = await ask(channel, "UnaryUnary", service=name, metadata=bearer(token()))

    assert caught.code() is grpc.StatusCode.UNAUTHENTICATED
    assert good == ["x"]


async def test_without_authentication_the_header_is_kept_for_calls_to_others() -> None:
    seen: list[Any] = []

    async def act(_request: Any, _context: Any) -> None:
        seen.append((context.claims.get(), context.authorization.get()))

    async with calling(EchoServicer(act)) as channel:
        await ask(channel, "UnaryUnary", metadata=[("authorization", "Bearer other")])

    assert seen == [(None, "Bearer other")]


@pytest.mark.parametrize(("key", "algorithm"), [(RSA_KEY, "RS256"), (EC_KEY, "ES256")])
async def test_jwks_from_a_file(key: Any, algorithm: str, tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(jwks(one=RSA_KEY, two=EC_KEY))
    auth = AuthConfig(jwks_file=str(path), audience="echo", issuer="tests")
    kid = "one" if key is RSA_KEY else "two"
    async with whoami(auth) as (channel, seen):
        await ask(channel, "UnaryUnary", metadata=bearer(token(key, algorithm, kid)))
        unknown = await failure(
            channel, "UnaryUnary", metadata=bearer(token(key, algorithm, "three"))
        )
        forged = token(str(RSA_KEY.public_key()) + "x" * 40, "HS256", "one")
        confused = await failure(channel, "UnaryUnary", metadata=bearer(forged))

    assert seen[0][0]["sub"] == "ada"
    assert "unknown key: 'three'" in str(unknown.details())
    assert confused.code() is grpc.StatusCode.UNAUTHENTICATED


class Issuer:
    """A key set over HTTP on loopback that can change, and be away."""

    def __init__(self) -> None:
        self.text = jwks(one=RSA_KEY)
        self.status = 200
        self.asked = 0
        self.url = ""

    @contextmanager
    def serving(self) -> Iterator["Issuer"]:
        """Listen on a free port."""
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += 1
                self.send_response(issuer.status)
                self.end_headers()
                self.wfile.write(issuer.text.encode())

            def log_message(self, *_: Any) -> None:
                """Keep quiet."""

        with HTTPServer(("127.0.0.1", 0), Handler) as server:
            self.url = f"http://127.0.0.1:{server.server_port}/jwks"
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            yield self
            server.shutdown()
            thread.join()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer().serving() as issuer:
        yield issuer


async def test_jwks_from_a_url_is_asked_once(issuer: Issuer) -> None:
    auth = AuthConfig(jwks_url=issuer.url, audience="echo", issuer="tests")
    async with whoami(auth) as (channel, _):
        calls = [
            ask(channel, "UnaryUnary", metadata=bearer(token(RSA_KEY, "RS256", "one", n=n)))
            for n in range(20)
        ]
        assert await asyncio.gather(*calls) == [["x"]] * 20

    assert issuer.asked == 1


async def test_while_no_keys_are_known_callers_are_asked_to_come_back(issuer: Issuer) -> None:
    """However many calls come, the issuer is asked again only after a pause."""
    issuer.status = 500
    auth = AuthConfig(jwks_url=issuer.url, audience="echo", issuer="tests")
    text = token(RSA_KEY, "RS256", "one")
    async with whoami(auth) as (channel, _):
        for _ in range(100):
            caught = await failure(channel, "UnaryUnary", metadata=bearer(text))
            assert caught.code() is grpc.StatusCode.UNAVAILABLE
        pauses = issuer.asked
        issuer.status = 200
        await until(lambda: _accepts(channel, text))

    assert pauses < 10


async def _accepts(channel: grpc.aio.Channel, text: str) -> bool:
    try:
        return await ask(channel, "UnaryUnary", metadata=bearer(text)) == ["x"]
    except grpc.aio.AioRpcError:
        return False


_ED_KEY = ed25519.Ed25519PrivateKey.generate()
_P521_KEY = ec.generate_private_key(ec.SECP521R1())


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (RSA_KEY, "RS256"),
        (RSA_KEY, "RS512"),
        (RSA_KEY, "PS256"),
        (EC_KEY, "ES256"),
        (_P521_KEY, "ES512"),
        (_ED_KEY, "EdDSA"),
    ],
)
async def test_a_key_without_algorithm_takes_every_one_of_its_type(
    key: Any, algorithm: str, tmp_path: Path
) -> None:
    """And a token without the id of a key means the only one that fits."""
    path = tmp_path / "jwks.json"
    every = {"rsa": RSA_KEY, "ec": EC_KEY, "p521": _P521_KEY, "ed": _ED_KEY}
    path.write_text(jwks(algorithms=False, **every))
    auth = AuthConfig(jwks_file=str(path), audience="echo", issuer="tests")
    kid = next(name for name, each in every.items() if each is key)
    async with whoami(auth) as (channel, seen):
        for headers in (kid, ""):
            await ask(channel, "UnaryUnary", metadata=bearer(token(key, algorithm, headers)))

    assert len(seen) == 2


async def test_a_key_with_an_algorithm_takes_only_that(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(jwks(one=RSA_KEY))
    auth = AuthConfig(jwks_file=str(path), audience="echo", issuer="tests")
    async with whoami(auth) as (channel, _):
        other = await failure(
            channel, "UnaryUnary", metadata=bearer(token(RSA_KEY, "PS256", "one"))
        )

    assert other.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_a_token_without_key_id_that_several_keys_fit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(jwks(one=RSA_KEY, two=rsa.generate_private_key(65537, 2048)))
    auth = AuthConfig(jwks_file=str(path), audience="echo", issuer="tests")
    async with whoami(auth) as (channel, _):
        caught = await failure(channel, "UnaryUnary", metadata=bearer(token(RSA_KEY, "RS256", "")))

    assert caught.code() is grpc.StatusCode.UNAUTHENTICATED


def _key(name: str) -> Key:
    return Key(name, ("RS256",), name, name.encode())


async def test_a_key_that_is_new_is_found_and_one_that_is_gone_is_no_good_any_more() -> None:
    """A key set of its own, so that the waits between two reads are short."""
    found = [_key("one")]
    reads = 0

    def load() -> Keys:
        nonlocal reads
        reads += 1
        return tuple(found)

    keys = KeySet(load, max_age=0.05)
    assert await keys.find("one", "RS256") == _key("one")
    before = keys.generation
    assert await keys.find("two", "RS256") is None
    assert reads == 1  # Asked again only after a while, whatever callers send.

    found[:] = [_key("two")]

    def refreshed() -> bool:
        keys.refresh()
        return keys.generation > before

    await eventually(refreshed)
    assert await keys.find("two", "RS256") == _key("two")
    assert await keys.find("one", "RS256") is None


async def test_keys_that_cannot_be_read_leave_the_old_ones_in_use(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = False

    def load() -> Keys:
        if broken:
            raise OSError("away")
        return (_key("one"),)

    keys = KeySet(load, max_age=0.01)
    await keys.find("one", "RS256")
    broken = True

    def failed() -> bool:
        keys.refresh()
        return "the token keys cannot be read: OSError: away" in caplog.text

    await eventually(failed)
    assert await keys.find("one", "RS256") == _key("one")


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"AUTH_AUDIENCE": "a"}, "none of them is set; set exactly one"),
        (
            {"AUTH_AUDIENCE": "a", "AUTH_JWKS_URL": "https://x", "AUTH_SHARED_KEY_FILE": "key"},
            "AUTH_JWKS_URL and AUTH_SHARED_KEY_FILE is set",
        ),
        ({"AUTH_JWKS_URL": "https://x", "AUTH_ISSUER": "i"}, "AUTH_AUDIENCE: is not set"),
        ({"AUTH_JWKS_URL": "https://x", "AUTH_AUDIENCE": "a"}, "AUTH_ISSUER: is not set"),
        ({"AUTH_JWKS_URL": "http://x.example", "AUTH_AUDIENCE": "a"}, "https:// URL"),
        ({"AUTH_JWKS_FILE": "nowhere", "AUTH_AUDIENCE": "a"}, "AUTH_JWKS_FILE: 'nowhere'"),
        ({"AUTH_SHARED_KEY_FILE": "short", "AUTH_AUDIENCE": "a"}, "less than 32 bytes"),
        (
            {"AUTH_SHARED_KEY_FILE": "key", "AUTH_AUDIENCE": "a", "AUTH_PUBLIC_METHODS": "x.Y"},
            "'x.Y' is not a method",
        ),
    ],
)
def test_wrong_settings_are_reported(
    variables: dict[str, str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("key").write_text(SECRET)
    Path("short").write_text("short")
    environment = Environment(variables)
    AuthConfig.read(environment)
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")) as caught:
        environment.check()

    assert SECRET not in str(caught.value)


def test_no_variables_mean_no_authentication() -> None:
    assert AuthConfig.read(Environment({})) is None


async def test_a_file_without_keys_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    for text in ("", "{}", '{"keys": []}', "[]"):
        path.write_text(text)
        auth = AuthConfig(jwks_file=str(path), audience="echo", issuer="tests")
        with pytest.raises(ConfigError, match="AUTH_JWKS_FILE"):
            build_server(config(auth=auth), Service(add_echo, EchoServicer()))
