"""GrpcServices and GrpcGateways of files."""

import pytest

from grpc_operator.cli import manifests, objects
from grpc_operator.cli.errors import CliError

HEAD = "apiVersion: grpc.infera.dev/v1alpha1\nkind: GrpcService\n"


def test_what_users_do_not_write_is_filled_in() -> None:
    """A namespace, as kubectl has one."""
    text = f"{HEAD}metadata: {{name: users}}\nspec: {{image: 'users:1'}}"

    (found,) = objects.services(manifests.of_text(text, "a.yaml"))

    assert (found.object.metadata.namespace, found.object.spec.image) == ("default", "users:1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f"{HEAD}metadata: {{name: users}}\nspec:\n  image: users:1\n  prot: 1\n  replicas: -1",
            (
                'a.yaml:6: spec.prot: unknown field "spec.prot"\n  Did you mean port?\n'
                "a.yaml:7: spec.replicas: Invalid value: -1: should be greater than or equal to 0"
            ),
        ),
        (
            "kind: GrpcService\napiVersion: grpc.infera.dev/v1\nmetadata: {name: users}",
            (
                "a.yaml:2: apiVersion: grpc.infera.dev/v1 does not exist\n"
                "  Write apiVersion: grpc.infera.dev/v1alpha1."
            ),
        ),
        (
            "kind: GrpcService\nmetadata: {name: users}",
            "a.yaml:1: apiVersion: Required value\n  Write apiVersion: grpc.infera.dev/v1alpha1.",
        ),
    ],
)
def test_every_problem_is_named_with_its_line(text: str, message: str) -> None:
    """And with the fix."""
    with pytest.raises(CliError) as error:
        objects.services(manifests.of_text(text, "a.yaml"))

    assert str(error.value) == message


def test_other_apis_are_left_alone() -> None:
    """They may have kinds of the same name."""
    text = "apiVersion: other.example/v1\nkind: GrpcService"

    assert objects.services(manifests.of_text(text, "a.yaml")) == []
