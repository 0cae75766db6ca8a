"""What a target cannot do."""

from pathlib import Path

import pytest

from grpc_operator.cli.export.losses import UNKNOWN, Coverage, Loss, as_markdown
from tests.unit.cli import run
from tests.unit.cli.export import EVERY_FIELD

_TYPE = "apiVersion: grpc.infera.dev/v1alpha1\nkind: GrpcService"
COVERAGE = Coverage(
    frozenset({"a", "b.c", "list.name"}),
    {"a.not": ("no.", "Do."), "d": ("d.", "D.")},
    frozenset({"list"}),
)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"a": {"x": 1, "y": [2]}}, []),
        ({"a": {"x": 1, "not": {"deep": 1}}}, [("spec.a.not", "no.", "Do.")]),
        ({"b": {"c": 1, "other": {"x": 1, "y": 2}}}, [("spec.b.other", *UNKNOWN)]),
        ({"d": {"x": 1}}, [("spec.d", "d.", "D.")]),
        ({"new": [{"x": 1}]}, [("spec.new", *UNKNOWN)]),
        ({"b": {}}, [("spec.b", *UNKNOWN)]),
        ({"list": {}}, []),
        (
            {"list": [{"name": "x"}, {"name": "y", "a.b\n": 1}]},
            [('spec.list[1]["a.b\\n"]', *UNKNOWN)],
        ),
    ],
)
def test_a_field_is_used_or_lost(
    spec: dict[str, object], expected: list[tuple[str, str, str]]
) -> None:
    """The longest path that the target knows decides; one that it does not know is lost."""
    assert COVERAGE.losses("X a/b", spec) == [Loss("X a/b", *each) for each in expected]


def test_the_page_keeps_its_structure() -> None:
    """Whatever the keys of a map are."""
    page = as_markdown("x", [Loss("X a/b", 'spec.a["`\\n# b"]', "is\n# not.", "Do it.")])

    assert page.splitlines()[4:] == [
        "## X a/b",
        "",
        '- `spec.a["\\u0060\\n# b"]`: is # not. Do it.',
    ]


def test_losses_are_written_beside_the_files(tmp_path: Path) -> None:
    """And removed when nothing gets lost any more; --strict makes them an exit code."""
    arguments = ("export", "--to", "kubernetes", "-d", str(tmp_path))
    lossy = run(*arguments, "-f", str(EVERY_FIELD), "--strict")

    assert lossy.code == 1
    assert lossy.out == ""
    assert "loss: GrpcService shop/orders: spec.rollout: " in lossy.err
    assert "`spec.rollout`" in (tmp_path / "UNSUPPORTED.md").read_text()

    small = tmp_path / "small.yaml"
    small.write_text(
        "{apiVersion: grpc.infera.dev/v1alpha1, kind: GrpcService, metadata: {name: a},"
        " spec: {image: a}}"
    )
    clean = run(*arguments, "-f", str(small), "--strict")

    assert (clean.code, clean.err) == (0, "")
    assert not (tmp_path / "UNSUPPORTED.md").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--to", "nomad"), "'nomad' is not a target of export\n  Use one of kubernetes"),
        (("--to", "kubernetes", "-d", str(EVERY_FIELD)), "cannot be written"),
    ],
)
def test_what_cannot_be_exported(arguments: tuple[str, ...], message: str) -> None:
    """The error says why."""
    ran = run("export", "-f", str(EVERY_FIELD), *arguments)

    assert ran.code == 2
    assert message in ran.err


def test_each_service_has_its_descriptor(tmp_path: Path) -> None:
    """One for all of them does not say who has which gRPC service."""
    file = tmp_path / "a.yaml"
    file.write_text(
        "".join(
            f"---\n{_TYPE}\nmetadata: {{name: {name}}}\nspec: {{image: a, gateway: {{}}}}\n"
            for name in ("a", "b")
        )
    )
    proto = EVERY_FIELD.with_name("orders.proto")
    arguments = ("export", "-f", str(file), "--to", "gateway-api", "--descriptor")
    shared = run(*arguments, str(proto))
    own = run(*arguments, f"a={proto}", "--descriptor", f"b={proto}")

    assert (shared.code, own.code) == (2, 0)
    assert f"{file}:5: a descriptor for all services does not say" in shared.err
    assert own.out.count("kind: GRPCRoute") == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{kind: ConfigMap}", "no GrpcService in"),
        (
            f"{_TYPE}\nspec: {{image: a}}\nmetadata: {{name: a, namespace: ../../x}}",
            ':4: metadata.namespace: Invalid value: "../../x"',
        ),
    ],
)
def test_what_is_not_a_service(tmp_path: Path, text: str, message: str) -> None:
    """The error has the line."""
    file = tmp_path / "a.yaml"
    file.write_text(text)

    ran = run("export", "-f", str(file), "--to", "kubernetes")

    assert ran.code == 2
    assert message in ran.err
