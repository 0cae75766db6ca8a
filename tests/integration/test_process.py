"""The process: settings, start, endpoints, logs, end."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grpc_operator.resources import LEASES
from tests.integration import cluster as clusters
from tests.integration.api import CRDS, Api
from tests.integration.conftest import Start, install_crds
from tests.integration.faults import Fault
from tests.integration.operator_process import OperatorProcess, environment, kubeconfig
from tests.integration.proxy import Proxy
from tests.integration.space import Space
from tests.waiting import HANG, holds_for, wait_until

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

_METRIC = r"^(?:# TYPE )?(grpc_operator_[a-z_]+)"
"""A sample, or the type of a metric that has no sample before something has failed."""


def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs ``python -m grpc_operator`` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "grpc_operator", *words],
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


NO_CLUSTER = {
    "a shell with a kubeconfig": ([], "this is not a pod with the token of a ServiceAccount"),
    "a file that does not exist": (["--kubeconfig", "missing"], "kubeconfig missing: no such file"),
    "another context": (["--context", "production"], "production"),
}


@pytest.mark.parametrize("case", NO_CLUSTER)
def test_it_runs_for_no_cluster_that_nobody_named(case: str, proxy: Proxy, tmp_path: Path) -> None:
    """A kubeconfig that lies about is not used: one line, exit code 2, no request."""
    words, text = NO_CLUSTER[case]
    file = kubeconfig(tmp_path / "kubeconfig", proxy.url)
    ended = run(*words, HOME=str(tmp_path), KUBECONFIG=str(file), GRPC_OPERATOR_HTTP_PORT="0")
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    record = json.loads(line)
    assert record["level"] == "ERROR"
    assert text in record["message"]
    assert "exc_info" not in record
    assert proxy.calls == []


def test_a_wrong_selector_ends_it_with_one_line(start: Start, proxy: Proxy) -> None:
    """What the API server rejects at the first list will not get better by trying again."""
    operator = start(proxy, watch_label_selector="team in (")
    assert operator.wait() == 2
    assert "GRPC_OPERATOR_WATCH_LABEL_SELECTOR" in operator.tail(1)
    assert "unable to parse requirement" in operator.tail(1)


@pytest.fixture
def without_crd(api: Api) -> Iterator[None]:
    """Takes the CRD away for the length of a test."""
    api.delete(CRDS, None, CRD)
    wait_until(lambda: api.get(CRDS, None, CRD) is None, "the CRD is gone")
    yield
    install_crds(api)


def problems(operator: OperatorProcess) -> list[str]:
    """Returns the messages of its log that are more than information."""
    records = map(json.loads, operator.log.read_text().splitlines())
    return [record["message"] for record in records if record["level"] not in {"INFO", "DEBUG"}]


def test_an_outage_of_the_api_server_is_one_line(
    start: Start, make_proxy: Callable[[], Proxy]
) -> None:
    """Of a replica that stands by; ready, as it serves the proxies, /readyz says so as well."""
    start(make_proxy()).wait_lease()
    proxy = make_proxy()
    standby = start(proxy)
    standby.wait_ready()
    logged = len(problems(standby))
    requests = len(proxy.calls)
    proxy.cut_off()
    wait_until(lambda: "does not answer since" in standby.readyz()[1], "/readyz tells the outage")
    wait_until(lambda: len(proxy.calls) > requests + 20, "it has tried again and again")
    assert standby.readyz()[0] == 200

    proxy.restore()
    wait_until(lambda: standby.readyz() == (200, "ok\n"), "the outage is over")
    begin, end = problems(standby)[logged:]
    assert begin.startswith("The API server does not answer: ")
    assert end.startswith("The API server answers again, after ")


def test_an_operator_that_starts_in_an_outage_says_so(start: Start, proxy: Proxy) -> None:
    """It does not know whether the CRDs are installed."""
    proxy.cut_off()
    operator = start(proxy)

    def said() -> str:
        status, text = operator.readyz()
        return text if status == 503 and "does not answer" in text else ""

    text = wait_until(said, "/readyz says why it waits")
    assert "cannot find out whether the CRDs are installed" in text
    assert "not installed" not in text
    holds_for(lambda: len(problems(operator)) == 1, 5, "one line for all attempts")
    proxy.restore()
    operator.wait_lease()


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
    shown = set(re.findall(_METRIC, operator.metrics_text(), re.MULTILINE))
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
