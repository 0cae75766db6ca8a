"""GrpcServices that cannot become ready, one way each: what they have in common."""

from dataclasses import dataclass
from typing import Any

from grpc_operator.resources import Manifest
from images.build import USER_SERVICE

NAMESPACE = "broken"
STRICT = "broken-strict"
"""A namespace with a quota, a LimitRange and the restricted Pod Security Standard."""

Spec = dict[str, Any]


@dataclass(frozen=True)
class Broken:
    """One way.

    Attributes:
        name: Of the GrpcService.
        spec: What its spec has beside what all have.
        reason: That of ``Ready``.
        words: What its message contains.
        objects: What is made beside it.
        namespace: Where.
    """

    name: str
    spec: Spec
    reason: str
    words: tuple[str, ...]
    objects: tuple[Manifest, ...] = ()
    namespace: str = NAMESPACE

    def service(self) -> Manifest:
        """Returns the GrpcService."""
        return {
            "apiVersion": "grpc.infera.dev/v1alpha1",
            "kind": "GrpcService",
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": merged(BASE, self.spec),
        }


DATABASE = "/tmp/users.db"  # noqa: S108 - a file of the pod

BASE: Spec = {
    "image": USER_SERVICE.tag,
    "imagePullPolicy": "IfNotPresent",
    "replicas": 1,
    "resources": {
        "requests": {"cpu": "5m", "memory": "16Mi"},
        "limits": {"memory": "256Mi", "cpu": "2"},
    },
    "drain": {"delay": "0s", "timeout": "1s"},
    "env": [{"name": "DATABASE_PATH", "value": DATABASE}],
}


def merged(base: Spec, more: Spec) -> Spec:
    """Returns a spec with more in it."""
    return {
        **base,
        **{
            name: merged(base[name], value)
            if isinstance(value, dict) and isinstance(base.get(name), dict)
            else value
            for name, value in more.items()
        },
    }


def pod(**fields: Any) -> Spec:
    """Returns the overlay with these fields of the pod."""
    return {"podTemplate": {"spec": fields}}


def container(**fields: Any) -> Spec:
    """Returns the overlay with these fields of the container."""
    return pod(containers=[{"name": "grpc", **fields}])


def env_from(**source: Any) -> Spec:
    """Returns a variable from this source."""
    return {"env": [{"name": "VALUE", "valueFrom": source}]}


def python(program: str, *arguments: str, **more: Any) -> Spec:
    """Returns a container that runs a program instead of the server."""
    return {"command": ["python", "-c", program], "args": [*arguments], **more}


def volume(path: str = "/mnt/data", **source: Any) -> Spec:
    """Returns the overlay that mounts a volume."""
    return pod(
        volumes=[{"name": "data", **source}],
        containers=[{"name": "grpc", "volumeMounts": [{"name": "data", "mountPath": path}]}],
    )


def init(**fields: Any) -> Spec:
    """Returns the overlay with an init container."""
    return pod(initContainers=[{"name": "migrate", "image": USER_SERVICE.tag, **fields}])


def manifest(api: str, kind: str, name: str, **fields: Any) -> Manifest:
    """Returns an object that is made beside a GrpcService."""
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, **fields}
