"""Schemas of every kind through the transcoder: what an Any or the details of an error hold, groups
and DELIMITED fields, and files that extend options.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message
from google.rpc import status_pb2

from tests.envoy import calls
from tests.envoy.protocols.gateway import Exposed, Gateway, running_gateway
from tests.envoy.upstream import serving
from tests.unit.descriptor import one_file

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="module")]

_ANY = """
syntax = "proto3";
package jobs.v1;
import "google/api/annotations.proto";
import "google/protobuf/any.proto";
import "google/protobuf/descriptor.proto";
extend google.protobuf.FieldOptions { bool secret = 50321; Note note = 50322; }
service Jobs {
  rpc Get(Job) returns (Job) { option (google.api.http) = {get: "/v1/jobs/{id}"}; }
  rpc Put(Job) returns (Job) { option (google.api.http) = {post: "/v1/jobs" body: "*"}; }
  rpc Watch(Job) returns (stream Job) { option (google.api.http) = {get: "/v1/jobs/{id}:watch"}; }
}
message Job { string id = 1; google.protobuf.Any result = 2; }
message Sent {
  string address = 1 [(secret) = true];
  Note note = 2;
  message Inner {}
}
message Note { string text = 1; }
message Declined { string code = 1; Sent sent = 2; }
"""

_PROTO2 = """
syntax = "proto2";
package groups.v1;
import "google/api/annotations.proto";
service Groups {
  rpc Get(Id) returns (Parts) { option (google.api.http) = {get: "/v1/groups/{id}"}; }
  rpc Put(Parts) returns (Parts) { option (google.api.http) = {post: "/v1/groups" body: "*"}; }
  rpc Name(Parts) returns (Parts) {
    option (google.api.http) = {put: "/v1/groups/{id}" body: "name"};
  }
}
message Id { optional string id = 1; }
message Name { optional string text = 1; }
message Parts {
  optional string id = 1;
  repeated group Part = 2 { optional string text = 1; }
  optional Name name = 3;
}
"""
_EDITION = """
edition = "2023";
package delimited.v1;
import "google/api/annotations.proto";
import "google/protobuf/cpp_features.proto";
option features.message_encoding = DELIMITED;
option features.(pb.cpp).string_type = VIEW;
service Delimited {
  rpc Get(Parts) returns (Parts) { option (google.api.http) = {get: "/v1/delimited/{id}"}; }
  rpc Put(Outer) returns (Parts) { option (google.api.http) = {post: "/v1/delimited" body: "*"}; }
  rpc Other(Plain) returns (Plain) { option (google.api.http) = {post: "/v1/plain" body: "*"}; }
}
message Part { string text = 1 [features.(pb.cpp).string_type = CORD]; }
message Parts { string id = 1; repeated Part part = 2; }
message Outer { Parts parts = 1 [features.message_encoding = LENGTH_PREFIXED]; }
message Plain {
  Part part = 1 [features.message_encoding = LENGTH_PREFIXED];
  map<string, Part> parts = 2;
}
"""


@dataclass
class Schemas:
    """Three services, and one server of all of them.

    Attributes:
        answer: What every method answers; the request when ``None``.
        details: Details of the error with which every call fails, if any.
        received: The last request, as bytes.
    """

    gateway: Gateway
    pool: descriptor_pool.DescriptorPool
    answer: bytes | None = None
    details: tuple[Message, ...] = ()
    received: list[bytes] = field(default_factory=list)

    def message(self, name: str, **fields: Any) -> Any:
        """Returns a message of any of the schemas."""
        kind = message_factory.GetMessageClass(self.pool.FindMessageTypeByName(name))
        return kind(**fields)

    async def call(self, verb: str, path: str, body: str | None = None) -> calls.HttpReply:
        """Calls a method by REST."""
        headers = {"content-type": "application/json"} if body is not None else {}
        data = body.encode() if body is not None else None
        self.received.clear()
        return await calls.http(self.gateway.port, verb, path, body=data, headers=headers)

    def service(self, _details: Any) -> Any:
        """Returns the handler of every method (``grpc.GenericRpcHandler``)."""

        async def stream(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
            async for request in requests:
                self.received.append(request)
                if self.details:
                    await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "no", self._trailers())
                yield request if self.answer is None else self.answer

        return grpc.stream_stream_rpc_method_handler(stream)

    def _trailers(self) -> tuple[tuple[str, bytes], ...]:
        status = status_pb2.Status(code=9, message="no")
        for detail in self.details:
            status.details.add().Pack(detail)
        return (("grpc-status-details-bin", status.SerializeToString()),)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Schemas]:
    """Serves the schemas on every host."""
    sets = {name: one_file(text) for name, text in _SOURCES.items()}
    async with running_gateway() as gateway:
        made = Schemas(gateway, _pool(sets))
        async with serving(made) as port:  # type: ignore[arg-type]
            await gateway.serve(*(Exposed(name, data, (port,)) for name, data in sets.items()))
            yield made


_SOURCES = {"any": _ANY, "proto2": _PROTO2, "edition": _EDITION}


def _pool(sets: Mapping[str, bytes]) -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    added = set()
    for name, data in sets.items():
        for file in descriptor_pb2.FileDescriptorSet.FromString(data).file:
            if file.name == "test.proto":
                file.name = f"{name}.proto"
            if file.name not in added:
                added.add(file.name)
                pool.Add(file)
    return pool


@pytest.fixture
def schemas(running: Schemas) -> Schemas:
    """Returns the running ones, which echo again."""
    running.answer, running.details = None, ()
    return running


async def test_an_any_holds_what_no_method_mentions(schemas: Schemas) -> None:
    """Also a message whose file extends options, or which is an option itself."""
    for name in ("Sent", "Sent.Inner", "Note", "Declined"):
        body = f'{{"id":"1","result":{{"@type":"type.googleapis.com/jobs.v1.{name}"}}}}'
        reply = await schemas.call("POST", "/v1/jobs", body)

        assert (reply.status, reply.body.decode()) == (200, body)


async def test_the_details_of_an_error_are_of_any_type(schemas: Schemas) -> None:
    """The standard ones beside them, too."""
    sent = schemas.message("jobs.v1.Sent", address="a@b.c")
    declined = schemas.message("jobs.v1.Declined", code="stolen", sent=sent)
    schemas.details = (declined, status_pb2.Status(message="inner"))

    reply = await schemas.call("GET", "/v1/jobs/1")

    assert reply.status == 400
    assert reply.json() == {
        "code": 9,
        "message": "no",
        "details": [
            {
                "@type": "type.googleapis.com/jobs.v1.Declined",
                "code": "stolen",
                "sent": {"address": "a@b.c"},
            },
            {"@type": "type.googleapis.com/google.rpc.Status", "message": "inner"},
        ],
    }


@pytest.mark.parametrize("url", ["type.googleapis.com/not.in.the.Set", "jobs.v1.Sent", ""])
async def test_an_answer_that_cannot_be_written_is_internal(schemas: Schemas, url: str) -> None:
    """The call has run: with UNAVAILABLE, clients would send it again."""
    answer = schemas.message("jobs.v1.Job", id="1")
    answer.result.type_url, answer.result.value = url, b"\x0a\x01x"
    schemas.answer = answer.SerializeToString()

    reply = await schemas.call("GET", "/v1/jobs/1")

    assert len(schemas.received) == 1
    assert (reply.status, reply.json().get("code")) == (500, 13), reply.body
    assert reply.headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize(
    ("path", "message"),
    [("/v1/groups/7", "groups.v1.Parts"), ("/v1/delimited/7", "delimited.v1.Parts")],
)
async def test_groups_in_an_answer(schemas: Schemas, path: str, message: str) -> None:
    """Of proto2 and of editions; a query cannot set one."""
    answer = schemas.message(message, id="1")
    answer.part.add(text="a")
    answer.part.add(text="b")
    schemas.answer = answer.SerializeToString()

    reply = await schemas.call("GET", path)
    refused = await schemas.call("GET", f"{path}?part.text=x")

    assert reply.json() == {"id": "1", "part": [{"text": "a"}, {"text": "b"}]}
    assert (refused.status, schemas.received) == (400, [])


async def test_a_body_that_could_have_a_group_is_not_served(schemas: Schemas) -> None:
    """Envoy writes it without its end. What else the body is mapped to is served."""
    for path in ("/v1/groups", "/v1/delimited"):
        reply = await schemas.call("POST", path, '{"part":[{"text":"a"}],"parts":{"id":"1"}}')
        assert (reply.status, schemas.received) == (404, [])

    named = await schemas.call("PUT", "/v1/groups/7", '{"text":"n"}')
    plain = await schemas.call(
        "POST", "/v1/plain", '{"part":{"text":"a"},"parts":{"k":{"text":"b"}}}'
    )

    assert named.json() == {"id": "7", "name": {"text": "n"}}
    assert plain.json() == {"part": {"text": "a"}, "parts": {"k": {"text": "b"}}}


async def test_each_of_them_is_named() -> None:
    """With the field."""
    refused = {
        f"{api.name}/{method.name}": each.reason
        for name in ("proto2", "edition")
        for api in Exposed(name, one_file(_SOURCES[name]), ()).attachment().apis
        for method in api.methods
        for each in method.refused
    }
    assert refused.keys() == {"groups.v1.Groups/Put", "delimited.v1.Delimited/Put"}
    assert "groups.v1.Parts.part, which is a group" in refused["groups.v1.Groups/Put"]
    assert "delimited.v1.Parts.part, which is a gr" in refused["delimited.v1.Delimited/Put"]
