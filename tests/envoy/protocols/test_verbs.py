"""A wrong verb is 405 with every verb that the path has; a path that nobody has is 404."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from google.api import annotations_pb2, http_pb2
from google.protobuf import descriptor_pb2

from tests.envoy import calls
from tests.envoy.protocols.backends import Metadata
from tests.envoy.protocols.conftest import USERS, Site
from tests.envoy.protocols.gateway import Exposed, Gateway, running_gateway
from tests.envoy.upstream import serving

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="package")]

_ANY = "DELETE, GET, OPTIONS, PATCH, POST, PUT"


def descriptor(package: str, *rules: str) -> bytes:
    """Returns a FileDescriptorSet of a service with a method for each rule (``GET /v1/users``)."""
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package}.proto",
        package=package,
        syntax="proto3",
        dependency=["google/api/annotations.proto"],
    )
    message = file.message_type.add(name="Message")
    for number, name in enumerate(("id", "name"), 1):
        message.field.add(name=name, number=number, type="TYPE_STRING", label="LABEL_OPTIONAL")
    service = file.service.add(name="Things")
    for index, each in enumerate(rules):
        verb, path = each.split()
        method = service.method.add(
            name=f"Method{index}",
            input_type=f".{package}.Message",
            output_type=f".{package}.Message",
        )
        rule = http_pb2.HttpRule()
        if verb in ("GET", "PUT", "POST", "DELETE", "PATCH"):
            setattr(rule, verb.lower(), path)
        else:
            rule.custom.kind, rule.custom.path = verb, path
        method.options.Extensions[annotations_pb2.http].CopyFrom(rule)
    files = descriptor_pb2.FileDescriptorSet()
    for known in (
        descriptor_pb2.DESCRIPTOR,
        http_pb2.DESCRIPTOR,
        annotations_pb2.DESCRIPTOR,
    ):
        known.CopyToProto(files.file.add())
    files.file.append(file)
    return files.SerializeToString()


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def made() -> AsyncIterator[Gateway]:
    """Services whose paths overlap: by variables, deep wildcards, custom verbs and each other."""
    alone = descriptor(
        "alone",
        "GET /v1/things",
        "POST /v1/things",
        "GET /v1/things/{id}",
        "DELETE /v1/things/{id}",
        "PUT /v1/things/me",
        "POST /v1/things/{id}:copy",
        "POST /v1/things:sync",
        "PATCH /v1/files/{name=**}",
        "GET /v1/files/{name=**}:read",
        "LOCK /v1/doors",
        "* /v1/any/{id}",
        "GET /v1/any/one",
        "GET /v1/a+b/{id}",
    )
    first = descriptor("first", "GET /v1/shared/{id}", "PUT /v1/shared/{id}/name", "GET /v1/x/{id}")
    second = descriptor("second", "DELETE /v1/shared/{name}", "POST /v1/shared", "PUT /v1/x/y")
    async with serving(Metadata()) as upstream, running_gateway() as gateway:
        await gateway.serve(
            Exposed("alone", alone, (upstream,), {"hostnames": ["alone.test"]}),
            Exposed(
                "pages",
                alone,
                (upstream,),
                {"hostnames": ["pages.test"], "cors": {"allowOrigins": ["https://app.test"]}},
            ),
            Exposed("first", first, (upstream,), {"hostnames": ["shared.test"]}),
            Exposed("second", second, (upstream,), {"hostnames": ["shared.test"]}),
        )
        assert not any(gateway.refused.values())
        yield gateway


_REFUSED = {
    "alone.test": {
        "PUT /v1/things": "GET, POST",
        "PUT /v1/things/": "GET, POST",
        "PATCH /v1/things/x": "DELETE, GET",
        "POST /v1/things/me": "DELETE, GET, PUT",
        "PATCH /v1/things/me": "DELETE, GET, PUT",
        "GET /v1/things/x:copy": "POST",
        "PATCH /v1/things/x:other": "DELETE, GET",
        "GET /v1/things:sync": "POST",
        "GET /v1/files": "PATCH",
        "GET /v1/files/a/b/c": "PATCH",
        "POST /v1/files/a/b:read": "GET",
        "GET /v1/doors": "LOCK",
        "HEAD /v1/things": "GET, POST",
        "HEAD /v1/any/x": _ANY,
        "OPTIONS /v1/things": "GET, POST",
        "POST /v1/a+b/c": "GET",
        "GET /alone.Things/Method0": "POST",
        "PUT /v1/things?secret=x": "GET, POST",
    },
    "shared.test": {
        "PATCH /v1/shared/x": "DELETE, GET",
        "GET /v1/shared/x/name": "PUT",
        "GET /v1/shared": "POST",
        "HEAD /v1/shared/x": "DELETE, GET",
        "POST /v1/x/y": "GET, PUT",
        "POST /v1/x/z": "GET",
    },
}
"""Requests by host, and what ``Allow`` must have."""


@pytest.mark.parametrize(
    ("host", "request_line", "allowed"),
    [(host, line, allow) for host, all_ in _REFUSED.items() for line, allow in all_.items()],
)
async def test_a_wrong_verb(made: Gateway, host: str, request_line: str, allowed: str) -> None:
    verb, path = request_line.split()
    reply = await calls.http(made.port, verb, path, headers={"host": host})
    assert (reply.status, reply.headers.get("Allow")) == (405, allowed)
    if verb != "HEAD":
        answer = reply.json()
        assert answer["code"] == 12
        path = path.partition("?")[0]
        for part in (verb, path, host, allowed):
            assert part in answer["message"], answer
        assert "secret" not in answer["message"]
    assert reply.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("verb", ["GET", "POST", "PATCH", "HEAD", "OPTIONS"])
@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("alone.test", "/v1"),
        ("alone.test", "/v1/things/x/y"),
        ("alone.test", "/v1/thingsx"),
        ("alone.test", "/v1/aab/c"),
        ("shared.test", "/v1/shared/x/other"),
        ("shared.test", "/v1/x"),
        ("shared.test", "/v1/things"),
        ("unknown.test", "/v1/things"),
    ],
)
async def test_a_path_that_nobody_has(made: Gateway, host: str, path: str, verb: str) -> None:
    reply = await calls.http(made.port, verb, path, headers={"host": host})
    assert (reply.status, reply.headers.get("Allow")) == (404, None)


async def test_every_verb_that_is_allowed_works(made: Gateway) -> None:
    """Of the paths above; the deep wildcards too."""
    for host, requests in _REFUSED.items():
        for line, allowed in requests.items():
            path = line.split()[1]
            if path.startswith("/alone.Things"):
                continue
            for verb in allowed.split(", "):
                body = b"{}" if verb in ("POST", "PUT", "PATCH") else None
                headers = {"host": host} | ({"content-type": "application/json"} if body else {})
                reply = await calls.http(made.port, verb, path, body=body, headers=headers)
                assert reply.status == (400 if "secret" in path else 200), (line, verb, reply)


async def test_preflight_requests_are_answered_as_before(made: Gateway) -> None:
    headers = {
        "host": "pages.test",
        "origin": "https://app.test",
        "access-control-request-method": "PUT",
    }
    reply = await calls.http(made.port, "OPTIONS", "/v1/things", headers=headers)
    assert reply.status == 200
    assert reply.headers["Access-Control-Allow-Origin"] == "https://app.test"
    headers = {"host": "pages.test", "origin": "https://app.test"}
    reply = await calls.http(made.port, "PUT", "/v1/things", headers=headers)
    assert (reply.status, reply.headers["Allow"]) == (405, "GET, POST")
    assert reply.headers["Access-Control-Allow-Origin"] == "https://app.test"


async def test_the_verbs_of_others_stay_unknown(site: Site) -> None:
    """A host has the verbs of its own services only."""
    reply = await calls.http(site.gateway.port, "PUT", "/v1/users", headers={"host": USERS})
    assert reply.headers["Allow"] == "GET, POST"
    reply = await calls.http(
        site.gateway.port, "PUT", "/v1/users", headers={"host": "only-grpc.test"}
    )
    assert (reply.status, reply.headers.get("Allow")) == (404, None)
