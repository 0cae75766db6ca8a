"""Reads the FileDescriptorSet of a GrpcService from its source, and says when to read it again."""

import asyncio
import base64
import binascii
import logging
import shlex
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from math import inf

from grpc_operator import names
from grpc_operator.api import GrpcService
from grpc_operator.api.http_rules import HttpRule
from grpc_operator.api.reasons import Reason
from grpc_operator.controlplane import revision_pods
from grpc_operator.controlplane.descriptor_cache import DescriptorCache, offers_rest
from grpc_operator.desired.service import descriptor_config_map
from grpc_operator.desired.service.descriptor_config_map import Pinned, Source
from grpc_operator.engine.calls import Calls
from grpc_operator.engine.store import Store
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.kube.cluster import Cluster
from grpc_operator.reconcile.descriptor_failures import (
    RETRY,
    Failure,
    UnavailableError,
    being_read,
    failure_of,
)
from grpc_operator.reconcile.recent_reads import RecentReads
from grpc_operator.reflection import ReflectionError
from grpc_operator.resources import CONFIG_MAPS, PODS, Key, Manifest, service_key
from grpc_operator.status.observed import ConditionResult
from grpc_operator.status.pod_problems import answering

logger = logging.getLogger(__name__)

Fetch = Callable[[str, float], Awaitable[bytes]]
"""Asks a server at HOST:PORT by reflection within some seconds; raises ``ReflectionError``."""

REFLECTION_TIMEOUT = 5.0
RECHECK = 30.0
"""Seconds until a ConfigMap is read again: it is not watched."""


@dataclass(frozen=True)
class Found:
    """The descriptor to use.

    Attributes:
        pinned: The newest good one, if there ever was one.
        problem: Why it is not the one that the source should give, if so (ResolvedRefs).
        requeue_after: Seconds until the source is to be read again.
        is_new: Whether it, or the one that is being read, is not yet what the routes are made from.
    """

    pinned: Pinned | None
    problem: ConditionResult | None = None
    requeue_after: float | None = None
    is_new: bool = False

    @property
    def is_wrong(self) -> bool:
        """Whether the source has no usable descriptor, and will not by waiting for pods."""
        if self.problem is None or self.problem.reason == Reason.WAITING_FOR_POD:
            return False
        return self.problem.status == "False"


class DescriptorSources:
    """The sources of FileDescriptorSets: reflection, a ConfigMap, or the spec itself.

    They are read beside the workers (``Calls``): a server that hangs, or a set that takes seconds,
    holds up nobody but its own service.

    Args:
        calls: Where they are read.
        cluster: Where ConfigMaps are read.
        store: Where the pinned descriptor and the pods are found.
        cache: Loads descriptors.
        fetch: Reads a descriptor by server reflection.
    """

    def __init__(
        self,
        calls: Calls[Pinned],
        cluster: Cluster,
        store: Store,
        cache: DescriptorCache,
        fetch: Fetch,
    ) -> None:
        self._calls = calls
        self._failures: dict[Key, dict[str, Failure]] = {}
        self._recent = RecentReads(RECHECK / 2)  # so that each recheck reads
        self._cluster = cluster
        self._store = store
        self._cache = cache
        self._fetch = fetch

    async def find(
        self, service: GrpcService, revision: str | None = None, *, is_frozen: bool = False
    ) -> Found:
        """Returns the descriptor of a revision, reading the source only when it may have changed.

        Args:
            service: The service.
            revision: That of the service's own name when unset.
            is_frozen: Whether the revision is not that of the current spec: then it keeps what is
                pinned for it, and ``spec.descriptor`` is that of another one.
        """
        revision = revision or service.metadata.name
        pinned = descriptor_config_map.read(self._cache.config_map(service, revision))
        reading = _Reading(service, revision, pinned)
        spec = service.spec.descriptor
        if is_frozen and pinned is not None:
            return Found(pinned)
        if is_frozen and (spec.inline is not None or spec.config_map is not None):
            text = f"Revision {revision} was replaced before its descriptor was read"
            return Found(None, ConditionResult("False", Reason.DESCRIPTOR_NOT_FOUND, text))
        recheck = RECHECK if spec.config_map is not None else None
        try:
            fresh = await self._read(reading)
        except UnavailableError as error:
            return Found(pinned, error.verdict, recheck or self._retry(reading) or RETRY)
        except InvalidSpecError as error:
            stalled = spec.inline is not None
            verdict = ConditionResult("False", error.reason, str(error), stalled=stalled)
            return Found(pinned, verdict, recheck or self._retry(reading))
        return Found(fresh, None, recheck, is_new=fresh != pinned or reading.is_under_way)

    async def _read(self, reading: "_Reading") -> Pinned:
        spec = reading.service.spec.descriptor
        if spec.inline is not None:
            origin = _origin(reading.service, descriptor_config_map.of_inline(spec.inline))
            inline = spec.inline
            return reading.pinned_from("Inline", origin) or self._beside(
                reading,
                ("Inline", origin),
                lambda: self._loaded(reading.service, _decoded(inline), "Inline", origin),
            )
        if spec.config_map is not None:
            return await self._config_map(reading)
        return await self._reflection(reading)

    async def _config_map(self, reading: "_Reading") -> Pinned:
        service = reading.service
        ref = service.spec.descriptor.config_map
        assert ref is not None  # noqa: S101 - the caller checks it
        about = service.metadata.uid, service.metadata.generation
        known = self._recent.origin(reading.key, reading.revision, about)
        if known is not None and (pinned := reading.pinned_from("ConfigMap", known)) is not None:
            return pinned
        live = await self._cluster.get(CONFIG_MAPS, service.metadata.namespace, ref.name)
        if live is None:
            raise UnavailableError(
                Reason.DESCRIPTOR_NOT_FOUND,
                f"spec.descriptor.configMap: ConfigMap {ref.name} does not exist in namespace"
                f" {service.metadata.namespace}; create it with the key {ref.key}",
            )
        version = live["metadata"]["resourceVersion"]
        origin = _origin(service, f"{ref.name}/{ref.key}@{version}")
        if (pinned := reading.pinned_from("ConfigMap", origin)) is not None:
            self._recent.note(reading.key, reading.revision, about, origin)
            return pinned
        content = (live.get("binaryData") or {}).get(ref.key)
        if content is None:
            keys = ", ".join(sorted(live.get("binaryData") or {})) or "none"
            create = "kubectl", "create", "configmap", ref.name, f"--from-file={ref.key}=FILE.pb"
            raise UnavailableError(
                Reason.DESCRIPTOR_NOT_FOUND,
                f"spec.descriptor.configMap.key: ConfigMap {ref.name} has no key {ref.key} in"
                f" binaryData (found: {keys}); create it with `{shlex.join(create)}`",
            )
        return self._beside(
            reading,
            ("ConfigMap", origin),
            lambda: self._loaded(service, base64.b64decode(content), "ConfigMap", origin),
        )

    async def _reflection(self, reading: "_Reading") -> Pinned:
        service, pinned = reading.service, reading.pinned
        pods = self._store.belonging(reading.key, PODS)
        own = revision_pods.of_revision(pods, service.metadata.name, reading.revision)
        pod = _pod_to_ask(own, pinned)
        if pod is None:
            if pinned is not None and pinned.source == "Reflection":
                return pinned
            raise UnavailableError(
                Reason.WAITING_FOR_POD,
                "The descriptor is read by reflection when the first pod is ready",
            )
        digest = pod["metadata"]["labels"].get(revision_pods.TEMPLATE_HASH, "")
        origin = _origin(service, str(digest))
        stamp = ("Reflection", origin, pod["metadata"]["uid"])
        return reading.pinned_from("Reflection", origin) or self._beside(
            reading, stamp, lambda: self._asked(reading, pod, origin)
        )

    async def _asked(self, reading: "_Reading", pod: Manifest, origin: str) -> Pinned:
        """Asks a pod for its descriptor."""
        service = reading.service
        meta = service.metadata
        port = revision_pods.grpc_port(pod) or service.spec.port
        try:
            data = await self._fetch(
                names.host_port(pod["status"]["podIP"], port), REFLECTION_TIMEOUT
            )
        except ReflectionError as error:
            message = f"spec.descriptor: pod {pod['metadata']['name']}: {error}"
            raise UnavailableError(error.reason, message) from error
        logger.info(
            "Read the descriptor of revision %s by reflection (%s)",
            reading.revision,
            origin,
            extra={"namespace": meta.namespace, "service": meta.name},
        )
        return await self._loaded(service, data, "Reflection", origin)

    def _beside(
        self, reading: "_Reading", stamp: tuple[str, ...], read: Callable[[], Awaitable[Pinned]]
    ) -> Pinned:
        """Returns what is read beside the workers; until then, what is pinned."""
        key, revision = reading.key, reading.revision
        stamp = (reading.service.metadata.uid, *stamp)
        failures = self._failures.setdefault(key, {})
        failure = failures.get(revision)
        now = asyncio.get_running_loop().time()
        if failure is not None and failure.stamp == stamp and now < failure.due:
            raise failure.error.with_traceback(None)
        try:
            fresh = self._calls.result(key, stamp, read, revision)
        except (UnavailableError, InvalidSpecError) as error:
            failures[revision] = failure_of(stamp, error, failure, now)
            raise
        if fresh is not None:
            failures.pop(revision, None)
            return fresh
        if failure is not None:  # it stays what is reported until the next answer
            raise failure.error.with_traceback(None)
        if reading.pinned is not None:
            reading.is_under_way = True
            return reading.pinned
        raise being_read(stamp[1])

    def _retry(self, reading: "_Reading") -> float | None:
        """Returns the seconds until a source that failed is read again, if it ever is."""
        failure = self._failures.get(reading.key, {}).get(reading.revision)
        if failure is None or failure.due == inf:
            return None
        return max(0.0, failure.due - asyncio.get_running_loop().time())

    def forget(self, key: Key, kept: Collection[str] = ()) -> None:
        """Forgets a service that is gone, or the revisions of a service that are.

        Args:
            key: The service's.
            kept: Names of the revisions that it still has.
        """
        self._calls.forget(key, kept)
        self._recent.forget(key, kept)
        failures = self._failures.get(key, {})
        for revision in failures.keys() - set(kept):
            del failures[revision]
        if not failures:
            self._failures.pop(key, None)

    async def _loaded(
        self, service: GrpcService, data: bytes, source: Source, origin: str
    ) -> Pinned:
        """Checks a descriptor and keeps the part that the service is made of."""
        try:
            descriptor = await self._cache.load(service, data, rules=_rules(service))
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
        return Pinned(descriptor.data, source, origin)


@dataclass
class _Reading:
    """What is read: the descriptor of one revision, and what is pinned for it so far.

    Attributes:
        is_under_way: Whether another one is being read beside the workers.
    """

    service: GrpcService
    revision: str
    pinned: Pinned | None
    is_under_way: bool = False

    @property
    def key(self) -> Key:
        """The service's."""
        return service_key(self.service.metadata.namespace, self.service.metadata.name)

    def pinned_from(self, source: Source, origin: str) -> Pinned | None:
        """Returns what is pinned, if that is what would be read."""
        pinned = self.pinned
        is_same = pinned is not None and (pinned.source, pinned.revision) == (source, origin)
        return pinned if is_same else None


def _pod_to_ask(pods: list[Manifest], pinned: Pinned | None) -> Manifest | None:
    """Returns a ready pod of the newest template, once no older one is left.

    Before the first answer the first ready pod will do: there is nothing to be kept consistent.
    """
    alive = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    ready = answering(alive)
    if not ready:
        return None
    newest = max(ready, key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")))
    templates = {pod["metadata"]["labels"].get(revision_pods.TEMPLATE_HASH) for pod in alive}
    if pinned is not None and pinned.source == "Reflection" and len(templates) > 1:
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


def _origin(service: GrpcService, source: str) -> str:
    return descriptor_config_map.origin(
        source, service.spec.services, rest=offers_rest(service), rules=_rules(service)
    )


def _rules(service: GrpcService) -> tuple[HttpRule, ...]:
    gateway = service.spec.gateway
    return gateway.http_rules if gateway is not None else ()
