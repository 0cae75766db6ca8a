"""The objects that the operator applies for a GrpcService."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from grpc_operator import labels
from grpc_operator.api import GrpcService
from grpc_operator.cli import descriptors
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.fields import location
from grpc_operator.cli.manifests import Document
from grpc_operator.cli.objects import Given
from grpc_operator.desired import service as desired_service
from grpc_operator.desired.service import descriptor_config_map
from grpc_operator.errors import InvalidSpecError
from grpc_operator.resources import Manifest


def of_service(
    given: Given[GrpcService],
    documents: Iterable[Document] = (),
    descriptor: Path | None = None,
    proto_path: Sequence[Path] = (),
) -> list[Manifest]:
    """Returns the objects of a GrpcService of which nothing exists yet, in the order of writing.

    The ServiceAccount that ``spec.serviceAccountName`` names counts as one that its owner allows
    the service to use.

    Args:
        given: The service.
        documents: Everything that was given; see ``descriptors.of_service``.
        descriptor: See there.
        proto_path: See there.

    Raises:
        CliError: The spec or the descriptor is refused; with the lines.
    """
    service = given.object
    try:
        manifests = desired_service.build(
            service, account_is_allowed=service.spec.service_account_name is not None
        )
        pinned = _pinned(given, documents, descriptor, proto_path)
    except InvalidSpecError as error:
        raise refused(given.document, error) from error
    if pinned is not None:
        manifests.append(descriptor_config_map.build(service, pinned))
    return [of_owner(each, service.metadata.uid) for each in manifests]


def refused(document: Document, error: InvalidSpecError) -> CliError:
    """Returns what is wrong with an object, each problem with its line."""
    return CliError(
        "\n".join(
            f"{document.where(location(each.field, document.data))}: {each.field}: {each.message}"
            for each in error.problems
        )
    )


def _pinned(
    given: Given[GrpcService],
    documents: Iterable[Document],
    path: Path | None,
    proto_path: Sequence[Path],
) -> descriptor_config_map.Pinned | None:
    """Returns the set to pin; ``None`` while nothing but a pod has it, or nobody needs it.

    Its revision is known only of an inline set: others have a version that the cluster gives.
    """
    spec = given.object.spec
    if spec.gateway is None:
        return None
    found = descriptors.of_service(given, documents, path, proto_path)
    if found is None:
        return None
    if path is None and spec.descriptor.inline is not None:
        source = descriptor_config_map.of_inline(spec.descriptor.inline)
        rest = descriptors.offers_rest(given.object)
        rules = spec.gateway.http_rules
        origin = descriptor_config_map.origin(source, spec.services, rest=rest, rules=rules)
        return descriptor_config_map.Pinned(found.data, "Inline", origin)
    is_config_map = spec.descriptor.config_map is not None
    return descriptor_config_map.Pinned(
        found.data, "ConfigMap" if is_config_map else "Reflection", ""
    )


def of_owner(manifest: Manifest, uid: str) -> Manifest:
    """Returns an object without what depends on the uid of its owner, if that has none yet."""
    if uid:
        return manifest
    metadata = {**manifest["metadata"]}
    del metadata["ownerReferences"]
    annotations = {
        name: text for name, text in metadata["annotations"].items() if name != labels.APPLIED_HASH
    }
    del metadata["annotations"]
    if annotations:
        metadata["annotations"] = annotations
    return {**manifest, "metadata": metadata}
