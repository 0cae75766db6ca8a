"""From nothing to answered calls: cluster, images, operator, a GrpcService, a client."""

import argparse
import sys
from pathlib import Path
from shlex import quote

from demo.canary import bad_version
from demo.tools import (
    GRPCOP,
    KIND,
    KUBECTL,
    ROOT,
    DemoError,
    at_once,
    kubeconfig,
    python,
    run,
    step,
    stream,
)
from images.build import IMAGES, OPERATOR, localkind, source_digest

CLUSTER = "grpc-operator"
SYSTEM = "grpc-operator-system"
EXAMPLE = Path("examples", "users")
GATEWAY = Path("examples", "gateway")
SHOP = Path("examples", "shop")


def demo() -> None:
    """Runs every step; each is safe to repeat."""
    at_once(_cluster_and_helm, _images)
    with step("Images to the node"):
        stream(KIND, "load", "docker-image", "--name", CLUSTER, *(i.tag for i in IMAGES))
    with step("Operator, by helm"):
        _install()
    with step("The first GrpcService"):
        run(KUBECTL, "apply", "-f", EXAMPLE / "grpcservice.yaml", show=True)
        run(KUBECTL, "wait", "--for=condition=Ready", "--timeout=120s", "gsvc/users", show=True)
        objects = "deployment,service,serviceaccount,configmap,poddisruptionbudget"
        run(KUBECTL, "get", objects, "-l", "grpc.infera.dev/service=users", show=True)
    with step("Calls from inside the cluster, all seven methods, then 200 over both pods"):
        _call()
    with step("One host, three protocols: the gateway"):
        run(KUBECTL, "apply", "-f", GATEWAY / "grpcservice.yaml", show=True)
        ready = ["--for=condition=Ready", "--timeout=120s"]
        run(KUBECTL, "-n", SYSTEM, "wait", *ready, "ggw/default", show=True)
        run(KUBECTL, "wait", *ready, "gsvc/directory", show=True)
        _call_with("directory-client", GATEWAY)
    with step("Three services, three databases: the shop"):
        run(KUBECTL, "apply", "-f", SHOP / "namespace.yaml", show=True)
        _shop()
    with step("A bad version is taken back: a canary, judged by grpc-status"):
        bad_version()
    print()
    run(KUBECTL, "get", "ggw,gsvc", "--all-namespaces", show=True)
    print(next_steps())


def next_steps() -> str:
    """Returns the commands to paste that use the demo's cluster, in a shell without kubectl."""
    return f"""
The cluster keeps running; its context is kind-{CLUSTER}. To use it, paste:

  export KUBECONFIG={quote(str(kubeconfig()))}
  alias kubectl={quote(quote(str(KUBECTL)))}
  alias grpcop={quote(quote(str(GRPCOP)))}
  kubectl get ggw,gsvc --all-namespaces
  grpcop status --all-namespaces
  grpcop describe directory
  grpcop call directory user.v1.UserService/ListUsers

To remove the cluster: make down"""


def _cluster_and_helm() -> None:
    """Compiles for minutes where nothing of it exists; helm is the second, for it takes less."""
    with step("Cluster"):
        if CLUSTER not in run(KIND, "get", "clusters").split():
            stream(KIND, "create", "cluster", "--name", CLUSTER, "--wait", "60s")
        run(KIND, "export", "kubeconfig", "--name", CLUSTER)
    with step("helm"):
        stream(*python("localkind", "tools", "helm"))


def _images() -> None:
    """Downloads more than it computes; without the examples, which the demo does not run."""
    with step("Images"):
        stream(*python("images", "--no-examples"))


def _install() -> None:
    helm = localkind("tools", "helm")
    run(KUBECTL, "apply", "-f", "dev/tilt/namespace.yaml")
    chart = ROOT / "charts" / "grpc-operator"
    values = ["--values", str(Path(__file__).with_name("values.yaml"))]
    # The tag stays "dev" when the image changes: a new image must still start new pods.
    values += ["--set-string", f"podAnnotations.source={source_digest(OPERATOR)}"]
    run(helm, "upgrade", "--install", "grpc-operator", chart, "-n", SYSTEM, *values, "--wait")
    run(KUBECTL, "-n", SYSTEM, "get", "deployment,pods", show=True)


def _call() -> None:
    _run_job("users-client", EXAMPLE / "client-job.yaml")


def _shop() -> None:
    namespace = ("-n", "shop")
    for name in ("postgres", "users", "products", "orders"):
        run(KUBECTL, *namespace, "apply", "-f", SHOP / f"{name}.yaml", show=True)
    ready = ("wait", "--for=condition=Ready", "--timeout=180s", "gsvc", "--all")
    run(KUBECTL, *namespace, *ready, show=True)
    _call_with("shop-client", SHOP, *namespace)


def _call_with(name: str, example: Path, *namespace: str) -> None:
    """Runs the client of an example, which is mounted into its Job."""
    kubectl: tuple[str | Path, ...] = (KUBECTL, *namespace)
    run(*kubectl, "delete", "configmap", name, "--ignore-not-found")
    run(*kubectl, "create", "configmap", name, f"--from-file={example / 'client.py'}")
    _run_job(name, example / "client-job.yaml", *namespace)


def _run_job(name: str, manifest: Path, *namespace: str) -> None:
    kubectl: tuple[str | Path, ...] = (KUBECTL, *namespace)
    run(*kubectl, "delete", "job", name, "--ignore-not-found", "--wait=true")
    run(*kubectl, "apply", "-f", manifest, show=True)
    try:
        run(*kubectl, "wait", "--for=condition=Complete", "--timeout=90s", f"job/{name}")
    finally:
        run(*kubectl, "logs", f"job/{name}", show=True)


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--delete", action="store_true", help="delete the cluster instead")
    try:
        if parser.parse_args().delete:
            stream(KIND, "delete", "cluster", "--name", CLUSTER)
        else:
            demo()
    except DemoError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
