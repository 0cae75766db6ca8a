"""The commands in the status can be pasted, and name the right place."""

from dataclasses import replace

from grpc_operator.descriptor.model import Binding, Sample
from grpc_operator.gateway.claims import Served, items
from grpc_operator.gateway.ir import Api, Attachment, Method, Policy, Rest, Retries, Target
from grpc_operator.resources import service_key
from grpc_operator.status.examples import Forward
from grpc_operator.status.served_services import services
from grpc_operator.status.urls import Address, at_gateway, in_cluster, summary

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
HOST = "users.shop.grpc.internal"
ATTACHED = Attachment(
    service_key("shop", "users"),
    "",
    (HOST,),
    (API,),
    grpc=True,
    grpc_web=True,
    rest=REST,
    cors=None,
    listeners=("http",),
)
PLAIN = Address("http", "gw.infra.svc", 80, tls=False, hostname=None)


def served(*hosts: str, attachment: Attachment = ATTACHED) -> Served:
    """Returns what a service serves that has these hosts."""
    return Served.of(attachment, hosts, items(attachment))


def test_a_url_for_each_protocol() -> None:
    """On every host, the gateway's own address does."""
    entries = {entry["protocol"]: entry for entry in at_gateway(served("*"), [PLAIN])}

    assert entries["REST"]["example"] == "curl -sS http://gw.infra.svc/v1/users/1"
    assert entries["GRPC"]["url"] == "dns:///gw.infra.svc:80"
    assert "gw.infra.svc:80 user.v1.UserService/GetUser" in entries["GRPC"]["example"]
    assert "http://gw.infra.svc/user.v1.UserService/GetUser" in entries["GRPCWeb"]["example"]


def test_the_descriptor_is_that_of_the_stable_revision() -> None:
    """Its ConfigMap has the name of the revision."""
    targets = (
        Target("users-1b7e40aa", "shop/users@1b7e40aa", 90, (API,), REST),
        Target("users-7f3a9c2e", "shop/users@7f3a9c2e", 10, (API,), REST),
    )
    split = replace(ATTACHED, targets=targets)
    forward = Forward("shop", "service/users", 50051)
    entries = [
        in_cluster("dns:///users-headless.shop.svc:50051", split, forward),
        *at_gateway(served("*", attachment=split), [PLAIN]),
    ]

    commands = [entry["example"] for entry in entries if "grpcurl" in entry.get("example", "")]
    assert len(commands) == 2
    assert all(" users-1b7e40aa-grpc-descriptor " in command for command in commands)


def test_a_host_that_may_not_resolve_is_reached_at_the_gateway() -> None:
    """Curl gets the address to connect to, grpcurl the authority to send."""
    tls = Address("http", "10.0.0.1", 8443, tls=True, hostname=None)
    entries = at_gateway(served("api.example.com", "*.example.org"), [tls])
    rest = [entry["example"] for entry in entries if entry["protocol"] == "REST"]
    grpc = [entry["example"] for entry in entries if entry["protocol"] == "GRPC"]

    assert rest[1] == (
        "curl -sS https://api.example.com:8443/v1/users/1 --connect-to ::10.0.0.1:8443"
    )
    assert "https://any.example.org:8443" in rest[0]
    assert "-plaintext" not in grpc[1]
    assert "-authority api.example.com:8443 10.0.0.1:8443" in grpc[1]


def test_what_is_not_offered_is_not_listed() -> None:
    """And the number of entries is bounded."""
    only_grpc = replace(ATTACHED, grpc_web=False, rest=None)

    entries = at_gateway(served(HOST, attachment=only_grpc), [PLAIN])

    assert [entry["protocol"] for entry in entries] == ["GRPC"]
    assert len(at_gateway(served(HOST), [PLAIN] * 30)) == 48


def test_a_host_is_listed_where_a_listener_accepts_it() -> None:
    """A listener of other namespaces, or of another host, gets none of its requests."""
    other = replace(PLAIN, listener="internal")
    narrow = replace(PLAIN, hostname="*.example.com")

    assert at_gateway(served(HOST), [other, narrow]) == []
    (entry, *_) = at_gateway(served("*"), [narrow])
    assert entry["url"] == "dns:///any.example.com:80"


def test_a_summary_of_hosts_is_short() -> None:
    """It is a column of kubectl."""
    assert summary(()) == ""
    assert summary(("a.com",)) == "a.com"
    assert summary(("a.com", "b.com", "c.com")) == "a.com + 2 more"


def test_inside_the_cluster() -> None:
    """The pods themselves; the command reaches one from outside as well."""
    forward = Forward("shop", "users", 50051)
    entry = in_cluster("dns:///users-headless.shop.svc:50051", ATTACHED, forward)

    assert entry["url"] == "dns:///users-headless.shop.svc:50051"
    assert entry["example"] == (
        "( kubectl -n shop port-forward service/users 50051:50051 >/dev/null & p=$!; sleep 3;"
        " grpcurl -protoset <(kubectl -n shop get configmap users-grpc-descriptor -o"
        " 'jsonpath={.binaryData.descriptor\\.pb}' | base64 -d | gzip -cdf)"
        " -plaintext localhost:50051 user.v1.UserService/GetUser; kill $p )"
    )


def test_an_address_inside_the_cluster_is_forwarded() -> None:
    """To a port that anybody may listen on, with the host and TLS of the listener."""
    inside = Address("http", "gw.infra.svc", 443, True, None, Forward("infra", "gw", 443))
    entries = {entry["protocol"]: entry for entry in at_gateway(served(HOST), [inside])}

    begin = "( kubectl -n infra port-forward service/gw 8443:443 >/dev/null & p=$!; sleep 3; "
    assert {entry["example"].startswith(begin) for entry in entries.values()} == {True}
    assert entries["REST"]["example"].removeprefix(begin) == (
        f"curl -sS https://{HOST}/v1/users/1 --connect-to ::localhost:8443; kill $p )"
    )
    assert f"-authority {HOST} localhost:8443 " in entries["GRPC"]["example"]
    assert "-plaintext" not in entries["GRPC"]["example"]


def attached(*methods: Method) -> Attachment:
    """Returns a service with these methods."""
    return replace(ATTACHED, apis=(replace(API, methods=methods),))


def examples(*methods: Method) -> dict[str, str]:
    """Returns the commands for a service with these methods."""
    entries = at_gateway(served("*", attachment=attached(*methods)), [PLAIN])
    return {entry["protocol"]: entry["example"] for entry in entries if "example" in entry}


CREATE = Binding("POST", "/v1/users", ("v1", "users"), body="*")
COUNT = Method("CountUsers", "Unary", POLICY, (Binding("GET", "/v1/count", ("v1", "count")),))
STREAM = Method("ListUsers", "ServerStreaming", POLICY, (LIST,))


def test_the_method_that_is_shown_changes_nothing_and_ends() -> None:
    """Unary before streams, reading before writing, without arguments before others."""
    create = Method("CreateUser", "Unary", POLICY, (CREATE,))
    get = Method("GetUser", "Unary", POLICY, (GET,), sample=Sample('{"id": "1"}', b"\n\x011"))

    assert "/CountUsers" in examples(STREAM, create, get, COUNT)["GRPC"]
    assert "/GetUser" in examples(STREAM, create, get)["GRPC"]
    assert "/CreateUser" in examples(STREAM, create)["GRPC"]


def test_a_stream_is_bounded() -> None:
    """It may be endless."""
    found = examples(STREAM)

    assert found["REST"] == "curl -sS --max-time 5 http://gw.infra.svc/v1/users"
    assert " -max-time 5 " in found["GRPC"]
    assert " --max-time 5 " in found["GRPCWeb"]


def test_a_command_has_what_the_method_needs() -> None:
    """In the body, in the path, in the query, and serialised."""
    sample = Sample('{"id": "a b", "user": {"name": "x"}, "etag": "y"}', b"\n\x03a b\x12\0")
    patch = Binding("PATCH", "/v1/users/{id}", ("v1", "users", "*"), variables=("id",), body="user")
    found = examples(Method("Update", "Unary", POLICY, (patch,), sample=sample))

    assert found["REST"] == (
        "curl -sS -X PATCH -H 'content-type: application/json' -d '{\"name\": \"x\"}'"
        " 'http://gw.infra.svc/v1/users/a%20b?etag=y'"
    )
    assert f"-d '{sample.text}'" in found["GRPC"]
    frame = r"\0\0\0\0\007\012\003\141\040\142\022\0"
    assert found["GRPCWeb"].startswith(f"printf '{frame}' | ")


def test_a_long_command_is_left_out() -> None:
    """The API server refuses a status with more; the URL is there all the same."""
    long = Binding("GET", f"/v1/{'a' * 2048}", ("v1", "a" * 2048))
    (entry,) = (
        each
        for each in at_gateway(
            served("*", attachment=attached(Method("Get", "Unary", POLICY, (long,)))), [PLAIN]
        )
        if each["protocol"] == "REST"
    )

    assert entry == {"protocol": "REST", "url": "http://gw.infra.svc"}


def test_what_others_have_is_not_listed() -> None:
    """The service lost a conflict about its gRPC service, and has one REST path."""
    (path,) = (item for item in items(ATTACHED) if item.text.endswith("users"))
    part = Served.of(ATTACHED, (HOST,), (path,))

    entries = at_gateway(part, [PLAIN])

    assert [entry["protocol"] for entry in entries] == ["REST"]
    assert "/v1/users " in entries[0]["example"]
    assert [each.get("rest") for each in services(part)[0]["methods"]] == [["GET /v1/users"], None]
    nothing = Served.of(ATTACHED, (HOST,), ())
    assert (at_gateway(nothing, [PLAIN]), services(nothing)) == ([], [])


def test_methods_are_listed_with_their_limits() -> None:
    """Kind, times, retries, size of messages, REST bindings."""
    retries = Retries(2, ("connect-failure", "unavailable"), (10,), 1.5)
    policy = Policy(timeout=15, longest_deadline=300, idle_timeout=None, retries=retries)
    stream = Policy(timeout=None, longest_deadline=None, idle_timeout=3600, retries=None)
    list_users, get_user = API.methods
    methods = (replace(list_users, policy=stream), replace(get_user, policy=policy))

    assert services(served(HOST, attachment=attached(*methods))) == [
        {
            "name": "user.v1.UserService",
            "methods": [
                {
                    "name": "ListUsers",
                    "kind": "ServerStreaming",
                    "idleTimeout": "3600s",
                    "rest": ["GET /v1/users"],
                    "maxMessageBytes": 1,
                },
                {
                    "name": "GetUser",
                    "kind": "Unary",
                    "timeout": "15s",
                    "longestDeadline": "300s",
                    "retries": {
                        "attempts": 2,
                        "codes": ["ABORTED", "UNAVAILABLE"],
                        "perTryTimeout": "1.5s",
                    },
                    "rest": ["GET /v1/users/{id}"],
                    "maxMessageBytes": 1,
                },
            ],
        }
    ]
