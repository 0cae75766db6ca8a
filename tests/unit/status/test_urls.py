"""The commands in the status can be pasted, and name the right place."""

from dataclasses import replace

from grpc_operator.descriptor.model import Binding
from grpc_operator.gateway.ir import Api, Attachment, Method, Policy, Rest
from grpc_operator.resources import service_key
from grpc_operator.status.urls import Address, at_gateway, in_cluster, rest_path, services

POLICY = Policy(timeout=15, longest_deadline=None, idle_timeout=None, retries=None)
GET = Binding("GET", "/v1/users/{id}", ("v1", "users", "*"), variables=("id",))
LIST = Binding("GET", "/v1/users", ("v1", "users"))
API = Api(
    "user.v1.UserService",
    (
        Method("ListUsers", "ServerStreaming", replace(POLICY, timeout=None), (LIST,)),
        Method("GetUser", "Unary", POLICY, (GET,)),
    ),
    POLICY,
)
REST = Rest(
    descriptor=b"",
    services=(API.name,),
    prefixes=(),
    stream_format="Array",
    indented=False,
    print_defaults=False,
    enums_as_numbers=False,
    proto_field_names=False,
    ignore_unknown_query=False,
    max_bytes=1,
)
ATTACHED = Attachment(
    service_key("shop", "users"), "", (), (API,), grpc=True, grpc_web=True, rest=REST, cors=None
)
PLAIN = Address("gw.infra.svc", 80, tls=False, hostname=None)


def test_a_url_for_each_protocol() -> None:
    """Without hostnames, the gateway's own address does."""
    entries = {entry["protocol"]: entry for entry in at_gateway(ATTACHED, [PLAIN])}

    assert entries["REST"]["example"] == "curl -sS http://gw.infra.svc/v1/users"
    assert entries["GRPC"]["url"] == "dns:///gw.infra.svc:80"
    assert "gw.infra.svc:80 user.v1.UserService/GetUser" in entries["GRPC"]["example"]
    assert "http://gw.infra.svc/user.v1.UserService/GetUser" in entries["GRPCWeb"]["example"]


def test_a_host_that_may_not_resolve_is_reached_at_the_gateway() -> None:
    """Curl gets the address to connect to, grpcurl the authority to send."""
    there = replace(ATTACHED, hostnames=("api.example.com", "*.example.org"))
    tls = Address("10.0.0.1", 8443, tls=True, hostname=None)
    entries = at_gateway(there, [tls])
    rest = [entry["example"] for entry in entries if entry["protocol"] == "REST"]
    grpc = [entry["example"] for entry in entries if entry["protocol"] == "GRPC"]

    assert rest[0] == (
        "curl -sS https://api.example.com:8443/v1/users --connect-to ::10.0.0.1:8443"
    )
    assert "https://any.example.org:8443" in rest[1]
    assert "-plaintext" not in grpc[0]
    assert "-authority api.example.com:8443 10.0.0.1:8443" in grpc[0]


def test_what_is_not_offered_is_not_listed() -> None:
    """And the number of entries is bounded."""
    only_grpc = replace(ATTACHED, grpc_web=False, rest=None)

    assert [entry["protocol"] for entry in at_gateway(only_grpc, [PLAIN])] == ["GRPC"]
    assert len(at_gateway(ATTACHED, [PLAIN] * 30)) == 48


def test_inside_the_cluster() -> None:
    """The pods themselves, by the headless Service."""
    entry = in_cluster("dns:///users-headless.shop.svc:50051", ATTACHED)

    assert entry["url"] == "dns:///users-headless.shop.svc:50051"
    assert "users-headless.shop.svc:50051 user.v1.UserService/GetUser" in entry["example"]
    assert "configmap users-grpc-descriptor" in entry["example"]


def test_only_a_get_without_arguments_can_be_tried() -> None:
    """Nobody knows an id."""
    assert rest_path(ATTACHED) == "/v1/users"
    without = replace(API, methods=API.methods[1:])
    assert rest_path(replace(ATTACHED, apis=(without,))) is None


def test_methods_are_listed_with_their_limits() -> None:
    """Kind, time limit, REST bindings."""
    assert services(ATTACHED) == [
        {
            "name": "user.v1.UserService",
            "methods": [
                {"name": "ListUsers", "kind": "ServerStreaming", "rest": ["GET /v1/users"]},
                {
                    "name": "GetUser",
                    "kind": "Unary",
                    "timeout": "15s",
                    "rest": ["GET /v1/users/{id}"],
                },
            ],
        }
    ]
