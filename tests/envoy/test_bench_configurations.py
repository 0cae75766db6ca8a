"""Envoy takes the hand-written configurations of the bench."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from bench import by_hand, minimal, services
from bench.messages import PROTOCOLS

from tests.envoy.envoy import binary

pytestmark = pytest.mark.envoy

_PORT = 50051
_CONFIGURATIONS = {
    "by hand": by_hand.bootstrap(_PORT, services.original()),
    **{each: minimal.bootstrap(each, _PORT, services.original()) for each in PROTOCOLS},
}


@pytest.mark.parametrize("config", _CONFIGURATIONS.values(), ids=_CONFIGURATIONS)
def test_envoy_takes_it(config: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "bootstrap.json"
    file.write_text(json.dumps(config))

    done = subprocess.run(
        [binary(), "--mode", "validate", "--use-dynamic-base-id", "-c", file],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
