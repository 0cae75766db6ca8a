"""Each broken cluster is named by the check that finds it, with a hint; the others go on."""

import json
import re
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2

from grpc_operator import certificates
from tests.unit.cli import run
from tests.unit.cli.call.conftest import serving
from tests.unit.cli.check import healthy
from tests.unit.cli.check.conftest import Broken
from tests.unit.cli.check.healthy import conditions

CRD = f"{healthy.CRDS}/grpcservices.grpc.infera.dev"
PODS = f"{healthy.CORE}/shop/pods"

Break = Callable[[Broken], object]


def _set(path: str, *keys: str, to: object) -> Break:
    def change(cluster: Broken) -> None:
        inner = cluster.api.objects[path]
        for key in keys[:-1]:
            inner = inner.setdefault(key, {})
        inner[keys[-1]] = to

    return change


def _without(path: str) -> Break:
    return lambda cluster: cluster.api.objects.pop(path)


def _answers(path: str, status: int, message: str) -> Break:
    return lambda cluster: cluster.api.answers.update({path: (status, message)})


def _status(path: str, **of: str) -> Break:
    return _set(path, "status", "conditions", to=conditions(**of))


def _waits(path: str, reason: str, message: str = "") -> Break:
    return lambda cluster: healthy.waiting(cluster.api.objects[path], reason, message)


def _drop_field(cluster: Broken) -> None:
    (version,) = cluster.api.objects[CRD]["spec"]["versions"]
    del version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["rollout"]


def _unhealthy(name: str, status: int) -> Break:
    return lambda cluster: cluster.health.set(name, status)


def _unknown_name(cluster: Broken) -> None:
    container = cluster.api.objects[healthy.POD]["spec"]["containers"][0]
    container["readinessProbe"]["grpc"]["service"] = "things.Things"


def _nobody_listens(cluster: Broken) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cluster.api.ports["shop/users-1"] = (port, port)


def _http_1(cluster: Broken) -> None:
    _, port = cluster.api.ports["operators/default-envoy-1"]
    cluster.api.ports["shop/users-1"] = (port, port)


def _tls(cluster: Broken) -> None:
    made = certificates.renewed(None, "users.shop", datetime.now(UTC))
    credentials = grpc.ssl_server_credentials([(made.key, made.chain)])
    server = cluster.stack.enter_context(serving(credentials=credentials))
    port = int(server.address.rpartition(":")[2])
    cluster.api.ports["shop/users-1"] = (port, port)


def _web_404(cluster: Broken) -> None:
    words = "/x on localhost: nothing is served under this host and path"
    cluster.gateway.trailers = f"grpc-status: 12\r\ngrpc-message: {words}".encode()


def _silent(path: str) -> Break:
    return lambda cluster: cluster.api.silent.add(path)


OPERATOR_LEASE = ("spec", "renewTime")

BROKEN: list[tuple[str, Break, str, str, str]] = [
    # what is broken, how, what is checked, the check that fails, its hint
    ("API server too old", _set("/version", "gitVersion", to="v1.28.3"), "", "kubernetes-version",
     "kubectl version"),
    ("API server answers 503", _answers("/version", 503, "not ready"), "", "api-server", ""),
    ("credentials refused", _answers("/", 401, "Unauthorized"), "", "api-server", "log in again"),
    ("a request hangs", _silent("/apis/apps/"), "", "operator", "--timeout"),
    ("CRD missing", _without(CRD), "", "crds", "helm upgrade --install"),
    ("CRD being deleted", _set(CRD, "metadata", "deletionTimestamp", to="2026-01-01T00:00:00Z"), "",
     "crds", "kubectl get grpcservices.grpc.infera.dev -A"),
    ("CRD names taken", _status(CRD, NamesAccepted="Conflict: already in use"), "", "crds",
     "kubectl describe crd"),
    ("CRD older", _drop_field, "", "crds-version", "Upgrade the operator with its CRDs"),
    ("user without rights", lambda c: c.api.denied.update({"list pods", "get configmaps"}), "",
     "user-rights", "kubectl create role grpcop --verb=list --resource=pods -n shop"),
    ("no port-forward", lambda c: c.api.denied.add("create pods/portforward"), "", "user-rights",
     "--resource=pods/portforward"),
    ("operator without rights", lambda c: c.api.denied.add("patch deployments"), "",
     "operator-rights", "Restore its roles"),
    ("operator missing", _without(healthy.OPERATOR), "", "operator", "helm upgrade --install"),
    ("operator scaled to 0", _set(healthy.OPERATOR, "spec", "replicas", to=0), "", "operator",
     "kubectl scale deployment/grpc-operator -n operators --replicas=2"),
    ("operator not available", _set(healthy.OPERATOR, "status", to={}), "", "operator",
     "kubectl describe pods -n operators -l app=grpc-operator"),
    ("no Lease", _without(healthy.LEASE), "", "lease", "kubectl logs deployment/grpc-operator"),
    ("Lease not held", _set(healthy.LEASE, "spec", "holderIdentity", to=""), "", "lease",
     "kubectl logs deployment/grpc-operator"),
    ("Lease not renewed", _set(healthy.LEASE, *OPERATOR_LEASE, to="2026-01-01T00:00:00Z"), "",
     "lease", "See whether the operator hangs"),
    ("gateway refused", _status(healthy.GATEWAY, Accepted="InvalidSpec: spec.listeners"), "",
     "gateway-accepted operators/default", "kubectl describe grpcgateway default -n operators"),
    ("gateway not reconciled", _set(healthy.GATEWAY, "metadata", "generation", to=7), "",
     "gateway-accepted operators/default", "See whether the operator runs"),
    ("no proxies", _without(healthy.PROXY), "", "proxies operators/default", "kubectl describe"),
    ("proxies not connected", _set(healthy.GATEWAY, "status", "proxies", to=0), "",
     "proxies-connected operators/default", "kubectl logs -n operators"),
    ("services not ready", _status(healthy.SERVICE, Ready="Progressing: 0 of 1"), "", "services",
     "grpcop check users -n shop"),
    ("service missing", _without(healthy.SERVICE), "users", "service", "kubectl get grpcservices"),
    ("spec refused", _status(healthy.SERVICE, Accepted="HostnameNotGranted: a.com"), "users",
     "accepted", "kubectl describe grpcservice users -n shop"),
    ("gateway of the service missing", _status(healthy.SERVICE, ResolvedRefs="NotFound: default"),
     "users", "references", "kubectl describe grpcservice users -n shop"),
    ("image cannot be pulled", _waits(healthy.POD, "ImagePullBackOff", "no such tag"), "users",
     "image", "Correct spec.image"),
    ("crash loop", _waits(healthy.POD, "CrashLoopBackOff", "back-off"), "users", "pods",
     "kubectl describe pods -n shop -l grpc.infera.dev/service=users"),
    ("no pods", _without(healthy.POD), "users", "pods", "kubectl get events -n shop"),
    ("nobody listens", _nobody_listens, "users", "port", "listen on 0.0.0.0"),
    ("HTTP/1 server", _http_1, "users", "port", "h2c"),
    ("TLS server", _tls, "users", "port", "without TLS (h2c)"),
    ("unknown health name", _unknown_name, "users", "health", "correct spec.probes"),
    ("not serving", _unhealthy(healthy.SERVED, health_pb2.HealthCheckResponse.NOT_SERVING), "users",
     "health", "kubectl logs -n shop users-1"),
    ("no descriptor", _without(healthy.DESCRIPTOR), "users", "descriptor", "server reflection"),
    ("no hosts", _set(healthy.SERVICE, "status", "hosts", to=[]), "users", "hosts",
     "kubectl describe grpcservice users -n shop"),
    ("a host is somebody else's",
     _set(healthy.SERVICE, "spec", "gateway", to={"hostnames": ["a.b"]}), "users", "hosts",
     "See whose it is"),
    ("gRPC-Web not served", _web_404, "users", "gateway-grpc-web", "kubectl logs -n operators"),
    ("REST not served", lambda c: setattr(c.gateway, "status", 404), "users", "gateway-rest",
     "kubectl logs -n operators"),
    ("proxy does not listen", lambda c: c.api.ports.pop("operators/default-envoy-1"), "users",
     "gateway-grpc", "kubectl logs -n operators"),
    ("may not install", lambda c: c.api.denied.add("create clusterroles"), "--pre",
     "install-rights", "as an administrator"),
    ("webhook denies pods", _answers(f"{healthy.CORE}/grpc-operator-system/pods", 400,
     'admission webhook "p.io" denied the request: no'), "--pre", "admission", "kubectl describe"),
    ("webhook down", _answers(f"{healthy.CORE}/grpc-operator-system/pods", 500,
     "failed calling webhook"), "--pre", "admission", "webhookconfigurations"),
    ("leftover CRD being deleted",
     _set(CRD, "metadata", "deletionTimestamp", to="2026-01-01T00:00:00Z"), "--pre", "leftovers",
     "kubectl get grpcservices"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "what", "check", "hint"),
    [each[1:] for each in BROKEN],
    ids=[each[0].replace(" ", "-") for each in BROKEN],
)
def test_broken_clusters(cluster: Broken, change: Break, what: str, check: str, hint: str) -> None:
    """The first check that fails is the one that names it."""
    change(cluster)

    limit = "5s" if hint == "--timeout" else "60s"  # nothing else ends what hangs
    ran = cluster.check(*filter(None, [what]), "-o", "json", limit=limit)

    found = json.loads(ran.out)
    failed = [each for each in found if each["status"] == "failed"]
    assert [each["name"] for each in failed][:1] == [check]
    assert ran.code == 1
    assert hint in failed[0]["hint"]
    assert ran.err == ""


@pytest.mark.parametrize("what", ["", "users", "--pre"])
def test_a_healthy_cluster(cluster: Broken, what: str) -> None:
    """Every check is made, and none fails."""
    ran = cluster.check(*filter(None, [what]), "-o", "json")

    found = {each["name"]: each["status"] for each in json.loads(ran.out)}
    assert set(found.values()) <= {"ok", "warning"}, ran.out
    assert ran.code == 0


def test_what_depends_on_a_failed_check_says_so(cluster: Broken) -> None:
    """It is not made; all others are."""
    _nobody_listens(cluster)

    ran = cluster.check("users")

    assert "skipped  health: not checked, because port did not succeed\n" in ran.out
    assert "ok       gateway-rest: " in ran.out


def test_no_kubeconfig() -> None:
    """A failed check, too: the others say that they were not made."""
    ran = run("check", "--kubeconfig", "/nowhere", "-o", "json")

    found = json.loads(ran.out)
    assert ran.code == 1
    assert [each["name"] for each in found if each["status"] == "failed"] == ["kubeconfig"]
    assert {each["status"] for each in found[1:]} == {"skipped"}


def test_no_api_server(cluster: Broken, tmp_path: Path) -> None:
    """Nobody listens there."""
    file = tmp_path / "kubeconfig"
    file.write_text(re.sub(r"127.0.0.1:\d+", "127.0.0.1:1", file.read_text()))

    ran = cluster.check("-o", "json")

    failed = [each for each in json.loads(ran.out) if each["status"] == "failed"]
    assert [each["name"] for each in failed] == ["api-server"]
    assert "kubectl cluster-info" in failed[0]["hint"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--timeout", "soon"), "--timeout soon: is not a duration such as 2s"),
        (("users", "--pre"), "users: --pre is about the cluster"),
    ],
)
def test_wrong_arguments(arguments: tuple[str, ...], says: str) -> None:
    """They end with 2."""
    ran = run("check", *arguments)

    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err
