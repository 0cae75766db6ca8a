"""Several revisions are one attachment: the union for claims, and a target for each of them."""

from dataclasses import replace
from typing import Any

import pytest

from grpc_operator.api.gateway import Gateway
from grpc_operator.descriptor.model import Descriptor
from grpc_operator.gateway import ir
from grpc_operator.gateway.split import Share, split
from grpc_operator.resources import service_key
from tests.unit.gateway import USERS, attached, descriptor, method

V2 = descriptor(
    {
        "user.v1.UserService": [
            method("GetUser", "GET /v1/users/*", "GET /v1/accounts/*", idempotent=True),
            method("FindUser", "GET /v1/users:find"),
        ],
        "user.v2.UserService": [method("GetUser", "GET /v2/users/*")],
    }
)


def share(
    revision: str, of: Descriptor = USERS, percent: int = 0, *, mirror: int = 0, **options: Any
) -> Share:
    """Returns a revision of the service ``users``."""
    gateway = options.get("gateway") or {}
    return Share(revision, attached(gateway, of), percent, options.get("tag", ""), mirror)


def methods(attachment: ir.Attachment) -> dict[str, list[str]]:
    """Returns the names of the methods by gRPC service."""
    return {api.name: [each.name for each in api.methods] for api in attachment.apis}


def test_a_single_revision_under_the_old_name_is_as_without_revisions() -> None:
    """So a service that has just got its first revision keeps its configuration."""
    only = share("users", percent=100)

    assert split([only]) is only.attachment


@pytest.mark.parametrize("tag", ["", "blue"])
def test_a_single_revision_under_another_name_has_its_own_cluster(tag: str) -> None:
    """The one that is left after a rollout."""
    only = share("users-0a1b2c3d", percent=100, tag=tag)

    made = split([only])

    assert made.clusters == ("shop/users@0a1b2c3d",)
    assert made.apis == only.attachment.apis


def test_the_union_has_what_any_revision_has() -> None:
    """Methods, gRPC services and REST paths; each target keeps its own."""
    made = split([share("users", percent=90), share("users-0a1b2c3d", V2, 10)])

    assert methods(made) == {
        "user.v1.UserService": ["GetUser", "CreateUser", "ListUsers", "SyncUsers", "FindUser"],
        "user.v2.UserService": ["GetUser"],
    }
    shapes = {pattern.shape for api in made.apis for pattern in api.patterns}
    assert {"GET /v1/users", "GET /v1/accounts/*", "GET /v2/users/*"} <= shapes
    assert made.rest is not None
    assert made.rest.services == ("user.v1.UserService", "user.v2.UserService")
    assert [target.percent for target in made.targets] == [90, 10]
    assert made.clusters == ("shop/users", "shop/users@0a1b2c3d")
    assert made.targets[0].rest is not None
    assert made.targets[0].rest.descriptor == USERS.data
    assert made.targets[1].rest is not None
    assert made.targets[1].rest.descriptor == V2.data


def test_a_method_of_both_is_handled_as_by_the_stable_revision() -> None:
    """Kind and policy; also when the stable one has no share any more but a tag."""
    streaming = descriptor(
        {"user.v1.UserService": [method("GetUser", "GET /v1/users/*", kind="ServerStreaming")]}
    )

    made = split([share("users", percent=0, tag="old"), share("users-2", streaming, 100)])

    assert made.apis[0].methods[0].kind == "Unary"
    assert made.targets[1].apis[0].methods[0].kind == "ServerStreaming"


def test_what_no_call_reaches_is_not_requested() -> None:
    """A revision that only gets mirrored calls, or drains, has no claims of its own."""
    alone = share("users", percent=100)

    made = split([alone, share("users-2", V2, mirror=50), share("users-3", V2)])

    assert made.apis == alone.attachment.apis
    assert len(made.clusters) == 3


def test_a_tag_alone_makes_methods_reachable() -> None:
    """Such as those of a revision that waits for its promotion."""
    made = split([share("users", percent=100), share("users-2", V2, tag="next")])

    assert "user.v2.UserService" in methods(made)


def test_web_pages_may_choose_a_revision_if_there_is_a_tag() -> None:
    """A browser asks before it sends the header."""
    gateway = {"cors": {"allowOrigins": ["*"]}}
    shares = [share("users", percent=90, gateway=gateway), share("users-2", percent=10)]
    tagged = [shares[0], replace(shares[1], tag="next")]

    without, with_tag = split(shares).cors, split(tagged).cors

    assert without is not None
    assert with_tag is not None
    assert "x-grpc-revision" not in without.allow_headers
    assert "x-grpc-revision" in with_tag.allow_headers


def tag_hosts(*hostnames: str, tag: str = "next") -> list[str]:
    """Returns the hosts of a tag of a service with these hosts."""
    shares = [
        share("users", percent=100, gateway={"hostnames": [*hostnames]}),
        share("users-2", tag=tag),
    ]
    made = split(shares, tag_hosts=True)
    assert set(made.hostnames) == {*hostnames, *(each.host for each in made.tag_hosts)}
    assert list(made.hostnames) == sorted(made.hostnames)
    assert {each.tag for each in made.tag_hosts} <= {tag}
    assert split(shares).hostnames == tuple(sorted(hostnames))
    return [each.host for each in made.tag_hosts]


def test_a_tag_has_hosts() -> None:
    """One for each host, but none for wildcards."""
    assert tag_hosts("b.example.com", "a.example.com", "*.example.com", "*") == [
        "next---a.example.com",
        "next---b.example.com",
    ]


@pytest.mark.parametrize(("length", "count"), [(56, 1), (57, 0)])
def test_the_first_label_of_a_tag_host_has_63_characters_at_most(length: int, count: int) -> None:
    """RFC 1035."""
    assert len(tag_hosts(f"{'a' * length}.example.com")) == count


@pytest.mark.parametrize(("length", "count"), [(246, 1), (247, 0)])
def test_a_tag_host_has_253_characters_at_most(length: int, count: int) -> None:
    """RFC 1035."""
    labels = "a." * 123
    assert len(tag_hosts(labels[:-1].rjust(length, "b")[:length])) == count


def test_tag_hosts_count_as_hosts_of_the_service() -> None:
    """The status lists as many as the spec may have."""
    limit = next(
        each.max_length
        for each in Gateway.model_fields["hostnames"].metadata
        if hasattr(each, "max_length")
    )
    names = [f"h{number:02}.example.com" for number in range(limit - 2)]

    assert tag_hosts(*names) == ["next---h00.example.com", "next---h01.example.com"]


def test_what_is_left_of_a_split_service_keeps_its_clusters() -> None:
    """Calls that run go on when its settings cannot be used any more."""
    made = split([share("users", percent=90), share("users-2", V2, 10)])

    assert made.held().clusters == made.clusters
    assert made.held().targets[0].apis == ()


def test_the_key_and_the_revision_give_the_cluster() -> None:
    """The first revision has the cluster of a service without revisions."""
    key = service_key("shop", "users")

    assert ir.cluster_of(key, "users") == "shop/users"
    assert ir.cluster_of(key, "users-0a1b2c3d") == "shop/users@0a1b2c3d"
