"""Modules that are exported are valid for OpenTofu and the providers, and formatted."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from grpc_operator.cli.export.terraform.syntax import joined, output, ref, variable
from grpc_operator.cli.export.terraform.written import hcl, tf_json
from tests.terraform.opentofu import OpenTofu
from tests.unit.cli.export import every_field, exported, service, whole
from tests.unit.cli.export.hostile import STRINGS
from tests.unit.cli.export.test_terraform_gcp import users
from tests.unit.cli.export.test_terraform_text import manifest

pytestmark = pytest.mark.conformance

MODULES: dict[str, tuple[str, dict[str, str]]] = {
    "gcp": ("terraform-gcp", {}),
    "gcp serverless": ("terraform-gcp", {"backend": "serverless"}),
    "gcp gke": ("terraform-gcp", {"backend": "gke"}),
    "gcp tf.json": ("terraform-gcp", {"format": "tf.json"}),
    "gcp gke tf.json": ("terraform-gcp", {"format": "tf.json", "backend": "gke"}),
    "aws": ("terraform-aws", {}),
    "aws tf.json": ("terraform-aws", {"format": "tf.json"}),
}
"""Targets with their options."""
SERVICES: dict[str, list[dict[str, Any]]] = {
    "users": [users()],
    "small": [service()],
    "hostile": [manifest(STRINGS)],
    "two": [users(), {**service(replicas=3), "metadata": {"name": "orders", "namespace": "shop"}}],
}


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Writes the files of a module."""
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("case", SERVICES)
def test_modules_are_valid(tofu: OpenTofu, tmp_path: Path, case: str, module: str) -> None:
    """And formatted: nobody has a diff after ``tofu fmt``."""
    target, options = MODULES[module]
    write(tmp_path, exported(target, *SERVICES[case], **options).files)

    assert tofu.problems(tmp_path) == []
    assert tofu.unformatted(tmp_path) == ""


@pytest.mark.parametrize("module", MODULES)
def test_every_field(tofu: OpenTofu, tmp_path: Path, module: str) -> None:
    """With all fields of a GrpcService."""
    target, options = MODULES[module]
    write(tmp_path, whole(target, every_field(), **options).files)

    assert tofu.problems(tmp_path) == []
    assert tofu.unformatted(tmp_path) == ""


@pytest.mark.parametrize(
    ("target", "right", "wrong", "expected"),
    [
        (
            "terraform-gcp",
            "container_port",
            "containerport",
            (
                'Unsupported argument: An argument named "containerport" is not expected here. Did'
                ' you mean "container_port"?'
            ),
        ),
        (
            "terraform-gcp",
            "location   = var.region",
            "",
            (
                'Missing required argument: The argument "location" is required, but no definition'
                " was found."
            ),
        ),
        (
            "terraform-gcp",
            "max_instance_count = 10",
            'max_instance_count = "ten"',
            (
                "Incorrect attribute value type: Inappropriate value for attribute"
                ' "max_instance_count": a number is required.'
            ),
        ),
        (
            "terraform-gcp",
            "users_grpc.uri",
            "users_grpc.url",
            (
                "Unsupported attribute: This object has no argument, nested block, or exported"
                ' attribute named "url". Did you mean "uid"?'
            ),
        ),
        (
            "terraform-aws",
            "default_action {",
            "defaultaction {",
            (
                'Unsupported block type: Blocks of type "defaultaction" are not expected here. Did'
                ' you mean "default_action"?\nInsufficient default_action blocks: At least 1'
                ' "default_action" blocks are required.'
            ),
        ),
        (
            "terraform-aws",
            "aws_lb.users.dns_name",
            "aws_lb.user.dns_name",
            (
                'Reference to undeclared resource: There is no managed resource "aws_lb" "user"'
                " definition in the root module."
            ),
        ),
    ],
)
def test_mistakes_are_found(  # noqa: PLR0917 - the parts of a case
    tofu: OpenTofu, tmp_path: Path, target: str, right: str, wrong: str, expected: str
) -> None:
    """So the schemas are those of the providers, and the check can fail."""
    files = exported(target, users()).files
    assert any(right in text for text in files.values())
    write(tmp_path, {name: text.replace(right, wrong) for name, text in files.items()})

    found = [f"{each.summary}: {each.detail}" for each in tofu.problems(tmp_path)]
    assert "\n".join(found) == expected


@pytest.mark.parametrize("form", ["hcl", "tf.json"])
def test_strings_are_what_they_were(tofu: OpenTofu, tmp_path: Path, form: str) -> None:
    """Evaluated, as values, parts of templates, and defaults of variables."""
    blocks = []
    expected: dict[str, Any] = {}
    for number, text in enumerate(STRINGS):
        blocks += [
            variable(f"v{number}", "", default=text),
            output(f"value{number}", "", text),
            output(f"default{number}", "", ref(f"var.v{number}")),
            output(f"part{number}", "", joined(text, ref('upper("x")'), text)),
            output(f"list{number}", "", [text, {text: text}]),
        ]
        expected |= {
            f"value{number}": text,
            f"default{number}": text,
            f"part{number}": f"{text}X{text}",
            f"list{number}": [text, {text: text}],
        }
    text_of = {"hcl": hcl, "tf.json": tf_json}[form]
    write(tmp_path, {f"main.{'tf' if form == 'hcl' else form}": text_of(blocks)})

    assert tofu.outputs(tmp_path) == expected
    assert tofu.unformatted(tmp_path) == ""
