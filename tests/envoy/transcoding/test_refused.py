"""Rules that cannot be served are refused by name, with what is wrong."""

from typing import Any

import pytest
import yaml

from tests.envoy.protocols.gateway import Exposed
from tests.envoy.transcoding.corpus import FOLDER, Group, Rpc, descriptor_set

pytestmark = pytest.mark.envoy

_CASES = yaml.safe_load((FOLDER / "refused.yaml").read_text())


@pytest.mark.parametrize("case", _CASES, ids=[case["name"] for case in _CASES])
def test_refused(case: dict[str, Any]) -> None:
    rpc = Rpc(
        "Refused",
        case["rule"],
        (),
        takes=case.get("takes", "Message"),
        returns=case.get("returns", ""),
    )
    group = Group("refused", {}, (rpc,))
    made = Exposed(group.name, descriptor_set(group), ()).attachment()
    ((method,),) = (api.methods for api in made.apis)
    (refused,) = method.refused
    assert case["message"] in f"{refused.rule}: {refused.reason}"
