"""The process: settings, start, endpoints, logs, end."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from grpc_operator.resources import LEASES
from tests.integration import cluster as clusters
from tests.integration.api import CRDS, Api
from tests.integration.conftest import Start, install_crds
from tests.integration.faults import Fault
from tests.integration.operator_process import OperatorProcess, environment
from tests.integration.proxy import Proxy
from tests.integration.space import Space
from tests.waiting import HANG, wait_until

pytestmark = pytest.mark.cluster

CRD = "grpcservices.grpc.infera.dev"

BAD_SETTINGS = {
    "GRPC_OPERATOR_CLUSTER_DOMAIN": "",
    "GRPC_OPERATOR_LOG_LEVEL": "loud",
    "GRPC_OPERATOR_LOG_FORMAT": "xml",
    "GRPC_OPERATOR_HTTP_PORT": "65536",
    "GRPC_OPERATOR_LEASE_NAME": "",
    "GRPC_OPERATOR_LEASE_DURATION_SECONDS": "1",
    "GRPC_OPERATOR_WORKERS": "many",
    "GRPC_OPERATOR_RESYNC_SECONDS": "0",
    "POD_NAMESPACE": "",
}

METRICS = {
    "grpc_operator_grpcservices",
    "grpc_operator_lease_held",
    "grpc_operator_reconcile_time_seconds",
    "grpc_operator_reconcile_total",
    "grpc_operator_resync_age_seconds",
    "grpc_operator_watch_events_total",
    "grpc_operator_workqueue_depth",
    "grpc_operator_writes_total",
}


def run(**variables: str) -> subprocess.CompletedProcess[str]:
    """Runs ``python -m grpc_operator`` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "grpc_operator"],
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )


def test_every_bad_setting_is_named(tmp_path: Path) -> None:
    """All at once, each with its variable, what is wrong and what was given; exit code 2."""
    ended = run(HOME=str(tmp_path), **BAD_SETTINGS)
    assert ended.returncode == 2
    errors = dict(line.split(": ", 1) for line in ended.stderr.splitlines())
    assert set(errors) == set(BAD_SETTINGS)
    for name, value in BAD_SETTINGS.items():
        assert f"(got {value!r})" in errors[name]


def test_without_a_kubeconfig_one_line_says_so(tmp_path: Path) -> None:
    """Outside a cluster and without a kubeconfig: exit code 1, no stack trace."""
    ended = run(HOME=str(tmp_path), GRPC_OPERATOR_HTTP_PORT="0")
    assert ended.returncode == 1
    errors = [json.loads(line) for line in ended.stderr.splitlines()]
    errors = [record for record in errors if record["level"] == "ERROR"]
    assert len(errors) == 1
    assert errors[0]["message"].startswith("no way to reach a cluster: ")
    assert "exc_info" not in errors[0]


@pytest.fixture
def without_crd(api: Api) -> Iterator[None]:
    """Takes the CRD away for the length of a test."""
    api.delete(CRDS, None, CRD)
    wait_until(lambda: api.get(CRDS, None, CRD) is None, "the CRD is gone")
    yield
    install_crds(api)


def test_the_operator_waits_for_its_crd(
    without_crd: None, start: Start, proxy: Proxy, space: Space
) -> None:
    """/readyz says what is missing; once it is installed, the operator goes on by itself."""
    operator = start(proxy)
    missing = (503, f"the CRD {CRD} is not installed\n")
    wait_until(lambda: operator.readyz() == missing, "/readyz names the CRD")
    install_crds(space.api)
    operator.wait_lease()
    space.apply()
    space.wait_ready()


def test_every_metric_of_the_docs_is_there(operator: OperatorProcess, space: Space) -> None:
    """Names that dashboards and alerts rely on."""
    space.apply()
    space.wait_ready()
    documented = {
        name
        for path in (clusters.ROOT / "docs").rglob("*.md")
        for name in re.findall(r"\bgrpc_operator_[a-z_]+", path.read_text())
    }
    shown = set(re.findall(r"^(grpc_operator_[a-z_]+)", operator.metrics_text(), re.MULTILINE))
    families = shown | {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}
    assert METRICS | documented <= families
    assert operator.metric('grpc_operator_writes_total{kind="Deployment",verb="apply"}') == 1
    assert operator.metric("grpc_operator_grpcservices") == 1
    assert operator.metric("grpc_operator_workqueue_depth") == 0


def test_logs_are_one_json_object_a_line(
    operator: OperatorProcess, proxy: Proxy, space: Space
) -> None:
    """With time, level, logger and message, also when something goes wrong."""
    refused = Fault(500, lambda call: call.resource == "deployments" and call.is_write)
    proxy.faults.append(refused)
    space.apply()
    space.wait_ready()
    operator.stop()
    records = [json.loads(line) for line in operator.log.read_text().splitlines()]
    for record in records:
        assert {"time", "level", "logger", "message"} <= set(record)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["time"])
    retry = next(record for record in records if record["level"] == "WARNING")
    assert retry["message"].startswith("Will retry in ")
    assert (retry["namespace"], retry["service"]) == (space.name, "users")


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "in-a-write"])
def test_sigterm_ends_it(
    operator: OperatorProcess, proxy: Proxy, space: Space, *, busy: bool
) -> None:
    """With exit code 0, before a request that hangs is answered; the Lease is given up."""
    hanging = Fault("hang", lambda call: call.resource == "deployments" and call.is_write)
    if busy:
        proxy.faults.append(hanging)
        space.apply()
        wait_until(lambda: hanging.taken, "a write hangs")
    assert operator.stop() == 0
    assert not hanging.over.is_set()
    (lease,) = space.api.list(LEASES, space.name)
    assert lease["spec"].get("holderIdentity", "") == ""
