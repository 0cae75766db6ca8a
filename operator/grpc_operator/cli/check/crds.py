"""Whether the CRDs are installed, and are those that this grpcop was built with."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grpc_operator import __version__
from grpc_operator.api.crd import grpc_gateway_crd, grpc_service_crd
from grpc_operator.cli.check.model import Check, Known, Verdict, condition, failed, ok, warning
from grpc_operator.resources import Manifest, Resource

GROUP = "Installation"
CRDS = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition"
)
INSTALL = (
    "helm upgrade --install grpc-operator oci://ghcr.io/grpc-operator/charts/grpc-operator"
    " --namespace grpc-operator-system --create-namespace"
)

_SHOWN = 3


def ours() -> tuple[Manifest, ...]:
    """Returns the CRDs of this version."""
    return grpc_service_crd(), grpc_gateway_crd()


async def live(known: Known) -> list[tuple[Manifest, Manifest | None]]:
    """Returns each CRD of this version with the one that is installed.

    Raises:
        CliError: They cannot be read.
    """
    return [
        (wanted, await known.cluster.get(CRDS, None, wanted["metadata"]["name"]))
        for wanted in ours()
    ]


def names(found: Sequence[Manifest]) -> str:
    """Returns the names of CRDs for a message."""
    return " and ".join(each["metadata"]["name"] for each in found)


async def _installed(known: Known) -> Verdict:
    pairs = await live(known)
    if missing := [wanted for wanted, found in pairs if found is None]:
        verb = "is" if len(missing) == 1 else "are"
        return failed(f"{names(missing)} {verb} not installed", f"Install them: {INSTALL}")
    for _, found in pairs:
        assert found is not None  # noqa: S101 - see above
        name = found["metadata"]["name"]
        if found["metadata"].get("deletionTimestamp"):
            return failed(
                f"{name} is being deleted, and so are its objects",
                f"See which objects it waits for: kubectl get {name} -A -o yaml",
            )
        if condition(found, "Established").get("status") != "True":
            words = condition(found, "NamesAccepted").get("message") or "no condition says why"
            return failed(f"{name} is not served: {words}", f"kubectl describe crd {name}")
    return ok(names([wanted for wanted, _ in pairs]))


async def _same(known: Known) -> Verdict:
    for wanted, found in await live(known):
        name = wanted["metadata"]["name"]
        mine, theirs = set(_fields(_schema(wanted))), set(_fields(_schema(found or {})))
        if lacks := sorted(mine - theirs):
            return failed(
                f"{name} is older than grpcop {__version__}: it lacks {_some(lacks)}",
                f"Upgrade the operator with its CRDs: {INSTALL}",
            )
        if more := sorted(theirs - mine):
            return warning(
                f"{name} is newer than grpcop {__version__}: it has {_some(more)}",
                "Install the grpcop of the same version as the operator.",
            )
    return ok(f"the same fields as in grpcop {__version__}")


def _some(fields: Sequence[str]) -> str:
    more = f" and {len(fields) - _SHOWN} more" if len(fields) > _SHOWN else ""
    return ", ".join(fields[:_SHOWN]) + more


def _schema(crd: Manifest) -> Any:
    for version in (crd.get("spec") or {}).get("versions") or ():
        if version.get("name") == "v1alpha1":
            return (version.get("schema") or {}).get("openAPIV3Schema") or {}
    return {}


def _fields(schema: Any, path: str = "") -> Iterator[str]:
    if not isinstance(schema, Mapping):
        return
    for name, each in (schema.get("properties") or {}).items():
        where = f"{path}.{name}" if path else name
        yield where
        yield from _fields(each, where)
    yield from _fields(schema.get("items"), path)
    yield from _fields(schema.get("additionalProperties"), path)


CHECKS = (
    Check("crds", GROUP, _installed, after=("api-server",)),
    Check("crds-version", GROUP, _same, after=("crds",)),
)
