"""A GrpcService and its descriptor: what it requests, and every problem by name."""

from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from grpc_operator.api.gateway import Gateway
from grpc_operator.descriptor import load
from grpc_operator.descriptor.model import Descriptor
from grpc_operator.errors import InvalidSpecError
from grpc_operator.gateway import hosts
from grpc_operator.gateway.attach import attach
from grpc_operator.gateway.infrastructure import HEALTH
from grpc_operator.gateway.ir import Attachment, Policy, Retries
from tests.unit.gateway import USERS, attached, descriptor, method, service

SAFE = ("connect-failure", "refused-stream", "reset-before-request")


def policy(attachment: Attachment, name: str) -> Policy:
    """Returns the policy of a method of the first service."""
    return next(each.policy for each in attachment.apis[0].methods if each.name == name)


def problems(gateway: dict[str, Any], of: Descriptor = USERS, **kwargs: Any) -> list[str]:
    """Returns what is wrong, as people read it."""
    with pytest.raises(InvalidSpecError) as error:
        attached(gateway, of, **kwargs)
    return [str(problem) for problem in error.value.problems]


def test_settings_of_the_gateway() -> None:
    """A request timeout is also the longest deadline; zero means none."""
    made = attached(
        {
            "timeouts": {"request": "5s", "streamIdle": "0s", "maxStreamDuration": "1h"},
            "retry": {"attempts": 1, "codes": ["ABORTED", "UNKNOWN", "INTERNAL"]},
        }
    )

    retries = Retries(1, tuple(sorted((*SAFE, "internal"))), (2, 10))
    assert policy(made, "CreateUser") == Policy(5, 5, None, retries)
    stream = Policy(3600, 3600, None, Retries(1, SAFE), ends_at_deadline=False)
    assert policy(made, "ListUsers") == stream
    assert made.apis[0].fallback == stream


def test_an_unknown_method_names_the_nearest() -> None:
    """A typing error never falls through to defaults."""
    given = [
        {"service": "user.v1.UserService", "method": "GetUsr"},
        {"service": "user.v1.UserServise", "method": "GetUser"},
    ]

    one, other = problems({"methods": given})
    field = "spec.gateway.methods"
    assert one == f"{field}[user.v1.UserService/GetUsr]: no such method; did you mean GetUser?"
    assert other.startswith(f"{field}[user.v1.UserServise/GetUser]: no such service; did you mean")


def test_protocols() -> None:
    """All unless some are named; without REST there is nothing to transcode."""
    everything, some = attached(), attached({"protocols": ["GRPCWeb"]})

    assert everything.grpc
    assert everything.grpc_web
    assert everything.rest is not None
    assert (some.grpc, some.grpc_web, some.rest) == (False, True, None)
    assert some.apis[0].patterns == ()


def test_infrastructure_is_offered_only_when_listed() -> None:
    """Reflection and health stay inside the cluster otherwise."""
    assert [api.name for api in attached().apis] == ["user.v1.UserService"]
    assert [api.name for api in attached({"expose": ["Health", "Reflection"]}).apis[1:]] == [
        HEALTH,
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    ]


def test_automatic_mapping_adds_a_path_for_each_method() -> None:
    """Also for methods that have a binding of their own."""
    file = FileDescriptorProto(name="greet.proto", package="greet", syntax="proto3")
    file.message_type.add(name="Text")
    greeter = file.service.add(name="Greeter")
    greeter.method.add(name="Hello", input_type=".greet.Text", output_type=".greet.Text")
    proto = load(FileDescriptorSet(file=[file]).SerializeToString())
    made = attached({"rest": {"autoMapping": "Enabled"}}, proto)

    assert made.rest is not None
    assert made.rest.descriptor != proto.data
    assert [pattern.shape for pattern in made.apis[0].patterns] == ["POST /greet.Greeter/Hello"]


def test_rest_needs_bindings_only_when_it_is_requested() -> None:
    """Without any, REST is left out; when named, its absence is a problem."""
    plain = descriptor({"a.B": [method("C")]})

    assert attached({}, plain).rest is None
    (text,) = problems({"protocols": ["REST"]}, plain)
    assert text.startswith("spec.gateway.protocols: no method has a REST binding; add")
    (text,) = problems({"rest": {"prefixes": ["/v1/x"]}}, plain)
    assert text.startswith("spec.gateway.rest.prefixes: no method has a REST binding")


def test_lines_cannot_be_indented() -> None:
    """An indented message is several lines."""
    rest = {"streamFormat": "NDJSON", "printOptions": {"whitespace": "Indented"}}

    (text,) = problems({"rest": rest})
    assert text.startswith("spec.gateway.rest.printOptions.whitespace: Indented breaks NDJSON")


def test_credentials_need_origins() -> None:
    """Or every web page could act as the user."""
    (text,) = problems({"cors": {"allowOrigins": ["*"], "allowCredentials": "Allow"}})

    assert text.startswith("spec.gateway.cors.allowOrigins: * with allowCredentials Allow")


def test_without_a_descriptor_named_services_are_passed_on() -> None:
    """Until there is one: no REST, no methods."""
    made = attach(service({}, services=["a.B"]), None, "grpc.internal")

    assert [(api.name, api.methods) for api in made.apis] == [("a.B", ())]
    assert made.rest is None


def test_a_service_without_gateway_has_no_attachment() -> None:
    """The caller must have checked."""
    lonely = service({})
    lonely = lonely.model_copy(update={"spec": lonely.spec.model_copy(update={"gateway": None})})

    with pytest.raises(ValueError, match=r"users has no spec\.gateway"):
        attach(lonely, USERS, "grpc.internal")


def test_every_problem_is_named_at_once() -> None:
    """Nobody fixes one to find the next."""
    given = {
        "hostnames": ["a.example.com", "a.example.com."],
        "rest": {"prefixes": ["/v1/../x"]},
        "cors": {"allowOrigins": ["https://a", "b"]},
    }

    assert problems(given) == [
        (
            f"spec.gateway.hostnames[1]: 'a.example.com.' is not a valid {hosts.VALID_HOSTNAME},"
            " or * for every host"
        ),
        "spec.gateway.rest.prefixes[0]: '/v1/../x' is not a valid path such as /v1/users",
        "spec.gateway.cors.allowOrigins[1]: 'b' is not a valid origin such as https://example.com",
    ]


def test_equal_specs_make_equal_attachments() -> None:
    """Lists whose order means nothing have none."""
    one = attached({"hostnames": ["a.com", "b.com"], "expose": ["Health"]})
    other = attached({"hostnames": ["b.com", "a.com"], "expose": ["Health"]})

    assert one == other


def test_the_defaults_are_those_of_the_api() -> None:
    """``gateway: {}`` is the whole of the simplest case."""
    assert attached({}) == attached(Gateway().wire())


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("a b", "spec.descriptor: service 'a b': not a valid protobuf name"),
        ("a" * 254, f"spec.descriptor: service {'a' * 40}...: longer than 253 characters"),
    ],
)
def test_names_of_a_descriptor_are_not_trusted(name: str, wrong: str) -> None:
    """A server may reflect anything."""
    assert problems({}, descriptor({name: [method("Get")]})) == [wrong]
