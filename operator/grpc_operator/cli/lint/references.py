"""GS008: names of objects that are not among the given ones, though others of their kind are.

Most objects that a service needs are made by somebody else. A name is reported only where the given
files show what was meant: there is an object with nearly this name, or the GrpcGateways are given
and this one is not among them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from grpc_operator.api import GrpcService
from grpc_operator.cli.lint.finding import Finding, Place
from grpc_operator.cli.manifests import Document
from grpc_operator.cli.objects import DEFAULT_NAMESPACE, Given
from grpc_operator.descriptor import nearest

CODE = "GS008"

_MADE_BY_OPERATOR = ("-grpc-client", "-grpc-descriptor")


@dataclass(frozen=True)
class _Reference:
    """A name in a spec.

    Attributes:
        kind: Of the object.
        name: Of the object.
        location: Where the name is.
    """

    kind: str
    name: str
    location: tuple[str | int, ...]


class Known:
    """The names of the given objects, by kind and namespace.

    Args:
        documents: All of them.
    """

    def __init__(self, documents: Iterable[Document]) -> None:
        self._names: dict[tuple[str, str], set[str]] = {}
        for each in documents:
            metadata = each.data.get("metadata")
            if isinstance(metadata, dict) and isinstance(metadata.get("name"), str):
                namespace = metadata.get("namespace") or DEFAULT_NAMESPACE
                self._names.setdefault((each.kind, namespace), set()).add(metadata["name"])

    def of(self, kind: str, namespace: str | None = None) -> set[str]:
        """Returns the names of a kind; of every namespace when ``None``."""
        return {
            name
            for (of_kind, of_namespace), names in self._names.items()
            if of_kind == kind and namespace in (None, of_namespace)
            for name in names
        }


def findings(given: Given[GrpcService], known: Known) -> Iterator[Finding]:
    """Yields the names in a spec that no given object has."""
    namespace = given.object.metadata.namespace
    for each in _references(given.object):
        if each.kind == "GrpcGateway":
            names = known.of(each.kind)
            missing = bool(names) and each.name not in names
        else:
            names = known.of(each.kind, namespace)
            missing = each.name not in names
        near = nearest(each.name, names) if missing else None
        made = each.kind == "ConfigMap" and each.name.endswith(_MADE_BY_OPERATOR)
        if not missing or made or (near is None and each.kind != "GrpcGateway"):
            continue
        field = ".".join(str(step) for step in each.location)
        where = Place(given.document.file, given.document.line(each.location), field=field)
        fix = f"Did you mean {near}?" if near else f"Given are: {', '.join(sorted(names))}."
        yield Finding(where, CODE, f"no {each.kind} {each.name} is given", fix)


def _references(service: GrpcService) -> Iterator[_Reference]:
    spec = service.spec
    if spec.gateway is not None:
        location = ("spec", "gateway", "gatewayRef", "name")
        yield _Reference("GrpcGateway", spec.gateway.gateway_ref.name, location)
    if spec.descriptor.config_map is not None:
        location = ("spec", "descriptor", "configMap", "name")
        yield _Reference("ConfigMap", spec.descriptor.config_map.name, location)
    if spec.service_account_name is not None:
        yield _Reference(
            "ServiceAccount", spec.service_account_name, ("spec", "serviceAccountName")
        )
    for index, secret in enumerate(spec.image_pull_secrets or ()):
        yield _Reference("Secret", secret.name, ("spec", "imagePullSecrets", index, "name"))
    yield from _of_environment(service)


def _of_environment(service: GrpcService) -> Iterator[_Reference]:
    for index, variable in enumerate(service.spec.env or ()):
        source = variable.value_from
        if source is None:
            continue
        for kind, key, reference in (
            ("ConfigMap", "configMapKeyRef", source.config_map_key_ref),
            ("Secret", "secretKeyRef", source.secret_key_ref),
        ):
            if reference is not None and not reference.optional:
                location = ("spec", "env", index, "valueFrom", key, "name")
                yield _Reference(kind, reference.name, location)
    for index, entry in enumerate(service.spec.env_from or ()):
        for kind, key, whole in (
            ("ConfigMap", "configMapRef", entry.config_map_ref),
            ("Secret", "secretRef", entry.secret_ref),
        ):
            if whole is not None and not whole.optional:
                yield _Reference(kind, whole.name, ("spec", "envFrom", index, key, "name"))
