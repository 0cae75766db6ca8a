"""Any text that Kubernetes takes passes through the operator's client unchanged."""

from pathlib import Path

import pytest

from grpc_operator.app.metrics import Metrics
from grpc_operator.kube.cluster import Cluster
from grpc_operator.kube.connection import Connection, Kubeconfig
from grpc_operator.resources import CONFIG_MAPS, EVENTS, GRPC_SERVICES
from tests.integration.operator_process import OperatorProcess
from tests.integration.pods import waiting
from tests.integration.space import Space, condition
from tests.waiting import wait_until

pytestmark = pytest.mark.cluster

PLANE = 0x10000


def characters(first: int, count: int) -> str:
    """Returns consecutive code points, surrogates as what Go makes of them."""
    codes = range(first, first + count)
    return "".join("\ufffd" if 0xD800 <= code <= 0xDFFF else chr(code) for code in codes)


def every_character() -> dict[str, str]:
    """Returns the whole Basic Multilingual Plane, and both ends of every other one."""
    data = {f"{first:04x}": characters(first, 256) for first in range(0, PLANE, 256)}
    for plane in range(1, 17):
        for first in (plane * PLANE, (plane + 1) * PLANE - 256):
            data[f"{first:06x}"] = characters(first, 256)
    return data


async def test_every_character_is_applied_as_it_is(cluster: Path, space: Space) -> None:
    """Also where YAML would refuse, fold or drop it."""
    data = every_character() | {"words": '\\ud83d "quoted" \\ \n\t # - : {} & * !'}
    connection = await Connection.open(Kubeconfig(file=str(cluster)))
    try:
        writer = Cluster(connection, lambda: True, Metrics())
        await writer.apply(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"namespace": space.name, "name": "characters"},
                "data": data | {"lone": "a\ud83d!"},
            }
        )
    finally:
        await connection.close()
    assert space.get(CONFIG_MAPS, "characters")["data"] == data | {"lone": "a\ufffd!"}


ODD = "🚀 \x01\x1b\x7f\x80\x85\u2028\u202e\ufeff\uffff 💥"


def test_odd_text_reaches_pods_status_and_events(operator: OperatorProcess, space: Space) -> None:
    """In a variable, in labels of the overlay, and in what a failing program says last."""
    overlay = {"metadata": {"annotations": {"example.com/words": ODD}}}
    env = [{"name": "BANNER", "value": ODD}]
    space.kubelet.answer = waiting("CrashLoopBackOff", f"says {ODD}")
    made = space.service(env=env, podTemplate=overlay)
    space.api.create(GRPC_SERVICES, space.name, made)
    words = wait_until(lambda: quoted(space), "the status quotes the program")
    assert words
    assert "🚀" in words
    template = space.deployment()["spec"]["template"]
    assert template["metadata"]["annotations"]["example.com/words"] == ODD
    assert env[0] in template["spec"]["containers"][0]["env"]
    wait_until(
        lambda: any("💥" in event.get("note", "") for event in space.api.list(EVENTS, space.name)),
        "an Event quotes it",
    )


def quoted(space: Space) -> str:
    """Returns the message of Ready once it quotes the program."""
    message = str(condition(space.live(), "Ready").get("message", ""))
    return message if "💥" in message else ""
