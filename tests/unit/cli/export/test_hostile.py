"""No name or value changes the structure of what is exported."""

from functools import cache
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from grpc_operator.cli.errors import CliError
from grpc_operator.cli.export.losses import as_markdown
from tests.unit.cli.export import every_field, service, whole
from tests.unit.cli.export.hostile import STRINGS

PLAIN = "x"


def _of_container(text: str) -> dict[str, Any]:
    """Values that the schema of the API does not limit."""
    made = service(
        command=[text],
        args=[text],
        env=[
            {"name": "A", "value": text},
            {"name": "B", "valueFrom": {"secretKeyRef": {"name": "db", "key": f"k{text}"}}},
        ],
        podTemplate={"metadata": {"annotations": {"note": text}}},
        probes={
            "liveness": {"httpGet": {"port": 80, "path": text}},
            "startup": {"service": f"s{text}"},
        },
    )
    made["metadata"]["annotations"] = {
        "export.grpc.infera.dev/description": text,
        "export.grpc.infera.dev/region": f"r{text}",
        "export.grpc.infera.dev/vpc-access-connector": f"c{text}",
    }
    return made


def _of_routes(text: str) -> dict[str, Any]:
    """Values that the schema of the API limits, mostly."""
    made = every_field()
    gateway = made["spec"]["gateway"]
    gateway["hostnames"] = [text]
    gateway["rest"]["prefixes"] = [text]
    gateway["rest"]["rules"][1]["put"] = f"/{text}"
    gateway["cors"]["allowOrigins"] = [text]
    return made


def _shape(value: Any) -> Any:
    """Returns keys and types without the texts."""
    if isinstance(value, dict):
        return {key: _shape(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_shape(child) for child in value]
    return type(value).__name__


def _shapes(target: str, manifest: dict[str, Any]) -> dict[str, Any]:
    made = whole(target, manifest)
    page = as_markdown(target, made.losses)
    shapes: dict[str, Any] = {
        name: [_shape(each) for each in yaml.safe_load_all(text)]
        for name, text in made.files.items()
    }
    shapes["lines of the page"] = len(page.splitlines())
    return shapes


@pytest.mark.parametrize("target", ["kubernetes", "cloud-run"])
def test_values_of_the_container(target: str) -> None:
    """They are in the file as they were given."""
    expected = _shapes(target, _of_container(PLAIN))

    for text in STRINGS:
        try:
            found = _shapes(target, _of_container(text))
        except CliError:  # refused: the API server would, too
            continue
        assert found == expected, text
    made = yaml.safe_load_all("".join(whole(target, _of_container(STRINGS[0])).files.values()))
    assert STRINGS[0] in str(list(made))


@pytest.mark.parametrize("text", STRINGS[:20])
def test_values_of_routes(text: str) -> None:
    """What is no host, path or origin is refused, before any target gets it."""
    with pytest.raises(CliError):
        whole("envoy", _of_routes(text))


@cache
def _plain() -> dict[str, Any]:
    return _shapes("cloud-run", _of_container(PLAIN))


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=40))
def test_any_value(text: str) -> None:
    """As above, for texts that nobody has thought of."""
    try:
        found = _shapes("cloud-run", _of_container(text))
    except CliError:
        return
    assert found == _plain()
