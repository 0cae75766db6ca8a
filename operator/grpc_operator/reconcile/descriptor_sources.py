"""Reads the FileDescriptorSet of a GrpcService from its source, and says when to read it again."""

import base64
import binascii
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from grpc_operator import hashing, names
from grpc_operator.api import GrpcService
from grpc_operator.api.reasons import Reason
from grpc_operator.controlplane.descriptor_cache import DescriptorCache, offers_rest
from grpc_operator.desired.service import descriptor_config_map
from grpc_operator.desired.service.descriptor_config_map import Pinned, Source
from grpc_operator.engine.store import Store
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.kube.cluster import Cluster
from grpc_operator.reflection import ReflectionError
from grpc_operator.resources import CONFIG_MAPS, PODS, Key, Manifest
from grpc_operator.status.observed import ConditionResult
from grpc_operator.status.pod_problems import answering

logger = logging.getLogger(__name__)

Fetch = Callable[[str, float], Awaitable[bytes]]
"""Asks a server at HOST:PORT by reflection within some seconds; raises ``ReflectionError``."""

REFLECTION_TIMEOUT = 5.0
RETRY = 5.0
"""Seconds until a source without a usable descriptor is read again."""
RECHECK = 30.0
"""Seconds until a ConfigMap is read again: it is not watched."""

_TEMPLATE_HASH = "pod-template-hash"


@dataclass(frozen=True)
class Found:
    """The descriptor to use.

    Attributes:
        pinned: The newest good one, if there ever was one.
        problem: Why it is not the one that the source should give, if so (ResolvedRefs).
        requeue_after: Seconds until the source is to be read again.
    """

    pinned: Pinned | None
    problem: ConditionResult | None = None
    requeue_after: float | None = None


class _UnavailableError(Exception):
    """The source has no usable descriptor now."""

    def __init__(self, reason: Reason, message: str, *, stalled: bool = False) -> None:
        super().__init__(message)
        self.verdict = ConditionResult("False", reason, message, stalled=stalled)


class DescriptorSources:
    """The sources of FileDescriptorSets: reflection, a ConfigMap, or the spec itself.

    Args:
        cluster: Where ConfigMaps are read.
        store: Where the pinned descriptor and the pods are found.
        cache: Loads descriptors.
        fetch: Reads a descriptor by server reflection.
    """

    def __init__(
        self, cluster: Cluster, store: Store, cache: DescriptorCache, fetch: Fetch
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._cache = cache
        self._fetch = fetch

    async def find(self, service: GrpcService) -> Found:
        """Returns the descriptor to use, reading the source only when it may have changed."""
        name = names.descriptor_config_map(service.metadata.name)
        pinned = descriptor_config_map.read(self._store.owned(CONFIG_MAPS, service.metadata, name))
        recheck = RECHECK if service.spec.descriptor.config_map is not None else None
        try:
            fresh = await self._read(service, pinned)
        except _UnavailableError as error:
            return Found(pinned, error.verdict, recheck or RETRY)
        except InvalidSpecError as error:
            stalled = service.spec.descriptor.inline is not None
            verdict = ConditionResult("False", error.reason, str(error), stalled=stalled)
            return Found(pinned, verdict, recheck or RECHECK)
        return Found(fresh, None, recheck)

    async def _read(self, service: GrpcService, pinned: Pinned | None) -> Pinned:
        spec = service.spec.descriptor
        if spec.inline is not None:
            revision = _revision(service, hashing.digest(spec.inline.encode()))
            if pinned is not None and (pinned.source, pinned.revision) == ("Inline", revision):
                return pinned
            return await self._loaded(service, _decoded(spec.inline), "Inline", revision)
        if spec.config_map is not None:
            return await self._config_map(service, pinned)
        return await self._reflection(service, pinned)

    async def _config_map(self, service: GrpcService, pinned: Pinned | None) -> Pinned:
        ref = service.spec.descriptor.config_map
        assert ref is not None  # noqa: S101 - the caller checks it
        live = await self._cluster.get(CONFIG_MAPS, service.metadata.namespace, ref.name)
        if live is None:
            raise _UnavailableError(
                Reason.DESCRIPTOR_NOT_FOUND,
                f"spec.descriptor.configMap: ConfigMap {ref.name} does not exist in namespace"
                f" {service.metadata.namespace}; create it with the key {ref.key}",
            )
        version = live["metadata"]["resourceVersion"]
        revision = _revision(service, f"{ref.name}/{ref.key}@{version}")
        if pinned is not None and (pinned.source, pinned.revision) == ("ConfigMap", revision):
            return pinned
        content = (live.get("binaryData") or {}).get(ref.key)
        if content is None:
            keys = ", ".join(sorted(live.get("binaryData") or {})) or "none"
            raise _UnavailableError(
                Reason.DESCRIPTOR_NOT_FOUND,
                f"spec.descriptor.configMap.key: ConfigMap {ref.name} has no key {ref.key} in"
                f" binaryData (found: {keys}); create it with"
                f" `kubectl create configmap {ref.name} --from-file={ref.key}=FILE.pb`",
            )
        return await self._loaded(service, base64.b64decode(content), "ConfigMap", revision)

    async def _reflection(self, service: GrpcService, pinned: Pinned | None) -> Pinned:
        meta = service.metadata
        pods = self._store.belonging(Key("GrpcService", meta.namespace, meta.name), PODS)
        pod = _pod_to_ask(pods, pinned)
        if pod is None:
            if pinned is not None and pinned.source == "Reflection":
                return pinned
            raise _UnavailableError(
                Reason.WAITING_FOR_POD,
                "The descriptor is read by reflection when the first pod is ready",
            )
        revision = _revision(service, str(pod["metadata"]["labels"].get(_TEMPLATE_HASH, "")))
        if pinned is not None and (pinned.source, pinned.revision) == ("Reflection", revision):
            return pinned
        target = names.host_port(pod["status"]["podIP"], service.spec.port)
        try:
            data = await self._fetch(target, REFLECTION_TIMEOUT)
        except ReflectionError as error:
            message = f"spec.descriptor: pod {pod['metadata']['name']}: {error}"
            raise _UnavailableError(error.reason, message) from error
        logger.info(
            "Read the descriptor of revision %s by reflection",
            revision,
            extra={"namespace": meta.namespace, "service": meta.name},
        )
        return await self._loaded(service, data, "Reflection", revision)

    async def _loaded(
        self, service: GrpcService, data: bytes, source: Source, revision: str
    ) -> Pinned:
        """Checks a descriptor and keeps the part that the service is made of."""
        try:
            descriptor = await self._cache.load(service, data)
        except InvalidSpecError as error:
            field = f"spec.descriptor.{source[0].lower()}{source[1:]}"
            problems = [
                Problem(
                    field if problem.field in {"", "spec.descriptor"} else problem.field,
                    problem.message,
                )
                for problem in error.problems
            ]
            raise InvalidSpecError(problems, reason=error.reason) from error
        return Pinned(descriptor.data, source, revision)


def _pod_to_ask(pods: list[Manifest], pinned: Pinned | None) -> Manifest | None:
    """Returns a ready pod of the newest revision, once no older one is left.

    Before the first answer the first ready pod will do: there is nothing to be kept consistent.
    """
    alive = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    ready = answering(alive)
    if not ready:
        return None
    newest = max(ready, key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")))
    revisions = {pod["metadata"]["labels"].get(_TEMPLATE_HASH) for pod in alive}
    if pinned is not None and pinned.source == "Reflection" and len(revisions) > 1:
        return None
    return newest


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error as error:
        problem = Problem(
            "spec.descriptor.inline",
            f"is not base64 ({error}); write `protoc --include_imports"
            " --descriptor_set_out=/dev/stdout FILE.proto | base64 -w0`",
        )
        raise InvalidSpecError([problem], reason=Reason.INVALID_DESCRIPTOR) from error


def _revision(service: GrpcService, source: str) -> str:
    """Returns what a set is taken from: the source, and what of it is wanted."""
    wanted = [*(service.spec.services or ()), "" if offers_rest(service) else "-rest"]
    if wanted == [""]:
        return source
    return f"{source}#{hashing.digest(' '.join(wanted).encode())[:8]}"
