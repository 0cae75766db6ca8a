"""What the modules of both clouds have: files, input variables, environment variables."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from grpc_operator.cli.errors import CliError
from grpc_operator.cli.export.losses import Loss, below
from grpc_operator.cli.export.targets import Exported, ExportedService, Inputs
from grpc_operator.cli.export.terraform import written
from grpc_operator.cli.export.terraform.names import identifiers, short
from grpc_operator.cli.export.terraform.syntax import Block, Value, joined, ref, variable
from grpc_operator.cli.export.workload import ANNOTATION_PREFIX, Variable

FORMATS: Mapping[str, Callable[[Sequence[Block]], str]] = {
    "hcl": written.hcl,
    "tf.json": written.tf_json,
}
_SUFFIXES = {"hcl": "tf", "tf.json": "tf.json"}

_SECRET_LENGTH = 255
_ECR_IMAGE = re.compile(
    r"(?P<account>[0-9]{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/"
    r"(?P<repository>[a-z0-9._/-]+)(?=[:@]|\Z)"
)

Secret = tuple[str, str]
"""Name of a Secret, and a key in it."""


@dataclass(frozen=True)
class Service:
    """A service in a module.

    Attributes:
        exported: The service.
        id: Its identifier.
        losses: What this export notes about it.
    """

    exported: ExportedService
    id: str
    losses: list[Loss] = field(default_factory=list)

    def lose(self, path: str, reason: str, fix: str) -> None:
        """Notes a loss of a field."""
        self.losses.append(self.exported.loss(path, reason, fix))

    def annotation(self, name: str) -> str | None:
        """Returns an annotation for exports by its name without the prefix."""
        return self.exported.workload.annotations.get(name)

    def lose_annotations(self, known: Iterable[str]) -> None:
        """Notes the annotations for exports that are not known."""
        for name in self.exported.workload.annotations.keys() - set(known):
            self.lose(
                annotation_path(name),
                "has no counterpart in this export.",
                "Set it in the module by hand, if it is needed.",
            )


def annotation_path(name: str) -> str:
    """Returns the path of an annotation for exports."""
    return below("metadata.annotations", f"{ANNOTATION_PREFIX}{name}")


def services(inputs: Inputs) -> list[Service]:
    """Returns the services with their identifiers."""
    ids = identifiers((each.workload.name, each.workload.name) for each in inputs.services)
    return [Service(each, ids[each.workload.name]) for each in inputs.services]


def exported(
    files: Mapping[str, Sequence[Block]], services: Iterable[Service], options: Mapping[str, str]
) -> Exported:
    """Returns files of blocks in the format that is asked for; those without blocks are absent.

    Args:
        files: Blocks by the name of the file, without its end.
        services: Have the losses.
        options: With ``format``: ``hcl`` (default) or ``tf.json``.

    Raises:
        CliError: There is no such format.
    """
    form = options.get("format", "hcl")
    if form not in FORMATS:
        raise CliError(f"{form!r} is not a format of Terraform", fix="Use hcl or tf.json.")
    return Exported(
        {
            f"{name}.{_SUFFIXES[form]}": FORMATS[form](blocks)
            for name, blocks in files.items()
            if blocks
        },
        [loss for each in services for loss in each.losses],
    )


def prefixed(service: Service, *more: str) -> Value:
    """Returns the name of something of a service, with the name of the project first."""
    return joined(ref("var.project_name"), "-".join(["", service.exported.workload.name, *more]))


def common(services: Iterable[Service], annotation: str) -> str | None:
    """Returns an annotation that a module has once: that of the first service that has it."""
    found = [(each, value) for each in services if (value := each.annotation(annotation))]
    for each, value in found:
        if value != found[0][1]:
            each.lose(
                annotation_path(annotation),
                f"is {found[0][1]!r} in this module, as of {found[0][0].id}.",
                "Export the service to a folder of its own.",
            )
    return found[0][1] if found else None


def region(services: Iterable[Service], provider: str) -> str | None:
    """Returns the region of a module; that of another provider is none."""
    own = []
    for each in services:
        other = each.annotation("provider")
        if other in (None, provider):
            own.append(each)
            continue
        for name in ("provider", "region"):
            if each.annotation(name):
                each.lose(
                    annotation_path(name),
                    f"is of {other!r}, and the module is for {provider}.",
                    "Set the variable region, or --region.",
                )
    return common(own, "region")


def secrets(
    given: Iterable[Service], variables: Callable[[Service], Iterable[Variable]]
) -> Mapping[Secret, str]:
    """Returns the identifiers of the secrets that environment variables are from.

    Args:
        given: The services.
        variables: Returns those of a service.
    """
    wanted = (secret(each) for service in given for each in variables(service))
    return identifiers(
        (found, found[0] if is_version(found[1]) else "_".join(found)) for found in wanted if found
    )


def secret_variables(
    given: Mapping[Secret, str], description: str, other: Mapping[str, str]
) -> list[Block]:
    """Returns the input variables with the names of secrets in the cloud, which has no keys in
    them: a key of Kubernetes becomes a part of the name.

    Args:
        given: Identifiers of secrets.
        description: Of each variable.
        other: What stands for characters of Kubernetes that the cloud does not allow.
    """
    table = str.maketrans(dict(other))
    return [
        variable(
            f"{made}_secret",
            description,
            default=short(
                (name if is_version(key) else f"{name}-{key}").translate(table), _SECRET_LENGTH
            ),
        )
        for (name, key), made in given.items()
    ]


def ecr_repositories(image: str) -> list[str]:
    """Returns the ARN of the repository of an image, if it is one of ECR."""
    found = _ECR_IMAGE.match(image)
    if found is None:
        return []
    return [f"arn:aws:ecr:{found['region']}:{found['account']}:repository/{found['repository']}"]


def secret(given: Variable) -> Secret | None:
    """Returns the secret that a variable is from."""
    if given.source != "secretKeyRef":
        return None
    return str(given.reference["name"]), str(given.reference["key"])


def is_version(key: str) -> bool:
    """Whether the key of a secret is a version, as in files of Cloud Run, and no key."""
    return key == "latest" or key.isdigit()


def config_variables(service: Service, environment: Sequence[Variable]) -> Mapping[str, str]:
    """Returns the input variables for what is from ConfigMaps, by environment variable."""
    return identifiers(
        (each.name, f"{service.id}_{each.name}")
        for each in environment
        if each.source == "configMapKeyRef"
    )


def declared(given: Mapping[str, str], environment: Sequence[Variable]) -> list[Block]:
    """Returns the declarations of such input variables."""
    return [
        variable(given[each.name], f"Environment variable {each.name}, which was in a ConfigMap.")
        for each in environment
        if each.name in given
    ]


def lose_sources(service: Service, platform: str) -> None:
    """Notes the environment variables that only pods can have."""
    for each in service.exported.workload.env:
        if each.source not in ("", "secretKeyRef", "configMapKeyRef"):
            service.lose(
                f"spec.env[{each.index}].valueFrom.{each.source}",
                f"is about a pod, and {platform} has none.",
                "Set the variable to a value, or have the server ask the platform.",
            )


def lose_protocols(service: Service, platform: str) -> None:
    """Notes that a service with a gateway, whose protocols are all of them, has gRPC alone."""
    gateway = service.exported.object.spec.gateway
    if gateway is not None and gateway.protocols is None:
        service.lose(
            "spec.gateway.protocols",
            f"is GRPC alone: {platform} turns neither REST nor gRPC-Web into gRPC.",
            "Export it with --to envoy, and run that Envoy in front.",
        )
