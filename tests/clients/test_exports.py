"""What ``grpcop export`` writes is valid for the CRDs of other projects, at their versions."""

import pytest
import yaml

from tests.clients.module_schemas import KNATIVE, problems
from tests.unit.cli.export import service, whole
from tests.unit.cli.export.test_every_field import documents

pytestmark = pytest.mark.clients

MODULES = {
    "cloud-run": (KNATIVE,),
}


@pytest.mark.parametrize("target", MODULES)
def test_objects_are_valid(target: str) -> None:
    """Every field set, none set, and each of the fields that exclude each other."""
    for manifest in (*(each for each, _ in documents()), service(gateway={})):
        for text in whole(target, manifest).files.values():
            for made in yaml.safe_load_all(text):
                assert problems(made, *MODULES[target]) == [], made["kind"]


def test_an_unknown_field_is_found() -> None:
    """The check itself works."""
    (text,) = whole("cloud-run", service()).files.values()
    made = yaml.safe_load(text)
    made["spec"]["template"]["spec"]["timeout"] = 1

    assert "timeout" in str(problems(made, KNATIVE))
