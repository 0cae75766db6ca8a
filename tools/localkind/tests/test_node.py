"""A whole cluster, made by pytest-kind through localkind: images, DNS, ports, and its end."""

import json
import shutil
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_kind import KindCluster

from localkind import tools
from localkind.images.archive import write_program_image
from localkind.progress import Progress
from localkind_command import KUBECTL, LOCALKIND, eventually, info, kind
from localkind_machine import snapshot

pytestmark = pytest.mark.cluster

NAME = "lk-test-node"
IMAGE = "localhost/lk-test:1"
WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: web
          image: localhost/lk-test:1
          imagePullPolicy: Never
          ports: [{containerPort: 8000}]
          readinessProbe: {httpGet: {port: 8000, path: /hostname}, periodSeconds: 1}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8000, nodePort: 30080}]}
---
apiVersion: v1
kind: Service
metadata: {name: web-headless}
spec: {clusterIP: None, selector: {app: web}, ports: [{port: 8000}]}
"""


def free_port() -> int:
    """A TCP port of the loopback address without a listener."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def host_port() -> int:
    """The port that extraPortMappings maps to the node port 30080."""
    return free_port()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, host_port: int) -> Iterator[KindCluster]:
    """pytest-kind's own object for the cluster; nothing may be left when it has deleted it."""
    directory = tmp_path_factory.mktemp("kind")
    config = directory / "config.yaml"
    ports = [{"hostPort": host_port, "containerPort": 30080}]
    nodes = [{"role": "control-plane", "labels": {"tier": "test"}, "extraPortMappings": ports}]
    config.write_text(
        json.dumps({"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "nodes": nodes})
    )
    kind("delete", "cluster", "--name", NAME, "--kubeconfig", directory / "kubeconfig")
    before = snapshot(NAME)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        made = KindCluster(
            NAME, directory / "kubeconfig", kind_path=LOCALKIND, kubectl_path=KUBECTL
        )
        made.create(config)
        try:
            yield made
        finally:
            made.delete()
            shutil.rmtree(made.path)
    assert snapshot(NAME) == before


@pytest.fixture(scope="module")
def web(cluster: KindCluster) -> KindCluster:
    """The cluster with two pods and their Services; the image is built and loaded on the way."""
    kind("build", "image", "--tag", IMAGE, Path(__file__).with_name("image"))
    cluster.load_docker_image(IMAGE)
    cluster.kubectl("apply", "-f", "-", input=WEB)
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    return cluster


def test_the_node_is_as_kind_has_it(cluster: KindCluster) -> None:
    """Its name, its role, the labels of the configuration file."""
    assert kind("get", "nodes", "--name", NAME).stdout == f"{NAME}-control-plane\n"
    labels = json.loads(cluster.kubectl("get", "nodes", "-o", "json"))["items"][0]["metadata"]
    assert labels["labels"]["tier"] == "test"
    assert "node-role.kubernetes.io/control-plane" in labels["labels"]
    printed = kind("get", "kubeconfig", "--name", NAME).stdout
    assert f"current-context: kind-{NAME}" in printed


def test_creating_it_again_is_refused_and_pytest_kind_uses_it_again(cluster: KindCluster) -> None:
    """Refused with kind's message; pytest-kind asks `get clusters` first."""
    refused = kind("create", "cluster", "--name", NAME, fails=True).stderr
    assert f'node(s) already exist for a cluster with the name "{NAME}"' in refused
    pids = info(NAME)["pids"]
    cluster.create()
    assert info(NAME)["pids"] == pids


def test_an_image_that_the_node_has_is_not_loaded_again(web: KindCluster) -> None:
    """Loading is the slow part of a change; the other errors are kind's."""
    repeated = kind("load", "docker-image", IMAGE, "--name", NAME).stderr
    assert "found to be already present on all nodes" in repeated
    missing = kind("load", "docker-image", "localhost/none:1", "--name", NAME, fails=True).stderr
    assert missing == 'ERROR: image: "localhost/none:1" not present locally\n'
    elsewhere = kind("load", "docker-image", IMAGE, "--name", "lk-test-none", fails=True).stderr
    assert elsewhere == 'ERROR: no nodes found for cluster "lk-test-none"\n'


def test_an_archive_is_loaded_once(cluster: KindCluster, tmp_path: Path) -> None:
    """And a pod can run what was in it."""
    program = tools.ensure("pause", Progress())
    archive = tmp_path / "pause.tar"
    write_program_image(program, "localhost/pause:archive", archive)
    loaded = kind("load", "image-archive", archive, "--name", NAME)
    assert loaded.stderr == ""
    repeated = kind("load", "image-archive", archive, "--name", NAME)
    assert "already present" in repeated.stderr
    cluster.kubectl("run", "p", "--image=localhost/pause:archive", "--image-pull-policy=Never")
    cluster.kubectl("wait", "--for=condition=Ready", "pod/p", "--timeout=60s")
    cluster.kubectl("delete", "pod", "p", "--wait=false")


def resolve(cluster: KindCluster, name: str) -> list[str]:
    """The addresses of a name, as a program in a pod sees them."""
    code = f"import socket; print(*sorted(socket.gethostbyname_ex('{name}')[2]))"
    printed: str = cluster.kubectl("exec", "deployment/web", "--", "python3", "-c", code)
    return printed.split()


def pod_addresses(cluster: KindCluster) -> list[str]:
    """The addresses of the pods that are not being deleted."""
    listed = json.loads(cluster.kubectl("get", "pods", "-l", "app=web", "-o", "json"))["items"]
    return sorted(p["status"]["podIP"] for p in listed if "deletionTimestamp" not in p["metadata"])


def test_a_headless_service_resolves_to_its_pods_and_follows_them(web: KindCluster) -> None:
    """GRPC clients balance over these addresses; stale ones for long would be an outage."""
    name = "web-headless.default.svc.cluster.local"
    eventually(lambda: resolve(web, name) == pod_addresses(web), "two addresses")
    assert len(pod_addresses(web)) == 2
    web.kubectl("scale", "deployment/web", "--replicas=3")
    web.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    eventually(lambda: len(resolve(web, name)) == 3, "the third pod's address", seconds=10)
    assert resolve(web, name) == pod_addresses(web)


def test_names_outside_the_cluster_do_not_resolve(web: KindCluster) -> None:
    """At once, not after a timeout."""
    code = (
        "import socket\n"
        "try: socket.gethostbyname('example.com.')\n"
        "except socket.gaierror as error: print('refused', error.errno)\n"
    )
    answer = web.kubectl("exec", "deployment/web", "--", "python3", "-c", code)
    assert answer.startswith("refused")


def test_pods_reach_services_and_nothing_outside(web: KindCluster) -> None:
    """By name and ClusterIP; no default route exists (ENETUNREACH)."""
    code = (
        "import socket, urllib.request\n"
        "print(urllib.request.urlopen('http://web/hostname', timeout=5).status)\n"
        "s = socket.socket()\n"
        "s.settimeout(5)\n"
        "print(s.connect_ex(('192.0.2.77', 80)))\n"
    )
    answer = web.kubectl("exec", "deployment/web", "--", "python3", "-c", code).split()
    assert answer == ["200", "101"]  # ENETUNREACH


def test_extra_port_mappings_lead_to_node_ports(web: KindCluster, host_port: int) -> None:
    """From this machine's loopback address, as with kind."""

    def answers() -> bool:
        try:
            url = f"http://127.0.0.1:{host_port}/hostname"
            with urllib.request.urlopen(url, timeout=5) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    eventually(answers, "the node port")


def test_a_host_port_in_use_is_an_error_before_anything_is_created(tmp_path: Path) -> None:
    """Docker says so too, but only after kind has made the node."""
    config = tmp_path / "config.json"
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ports = [{"hostPort": port, "containerPort": 30080}]
        nodes = [{"extraPortMappings": ports}]
        config.write_text(
            json.dumps({"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "nodes": nodes})
        )
        refused = kind("create", "cluster", "--name=lk-test-port", "--config", config, fails=True)
    assert f"extraPortMappings: 127.0.0.1:{port}: Address already in use" in refused.stderr
    assert "lk-test-port" not in kind("get", "clusters").stdout


def test_exported_logs_have_components_and_pods(web: KindCluster, tmp_path: Path) -> None:
    """The directory is printed on stdout for the caller."""
    printed = kind("export", "logs", "--name", NAME, tmp_path / "logs").stdout
    assert printed == f"{tmp_path / 'logs'}\n"
    node = tmp_path / "logs" / f"{NAME}-control-plane"
    assert {"kubelet.log", "containerd.log", "kube-apiserver.log"} <= {
        p.name for p in node.iterdir()
    }
    assert list(node.glob("pods/default_web-*/web/*.log"))
