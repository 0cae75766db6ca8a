"""Whether a GrpcService is accepted, has a descriptor, and has the hosts that it asks for."""

import asyncio
import socket

from grpc_operator import names
from grpc_operator.cli.call import sources
from grpc_operator.cli.call.reach import Service, find, opened
from grpc_operator.cli.call.tls import Trust
from grpc_operator.cli.call.via import Via
from grpc_operator.cli.check.gateways import refused, unseen
from grpc_operator.cli.check.model import Check, Known, Verdict, condition, failed, ok, warning
from grpc_operator.resources import CONFIG_MAPS, GRPC_GATEWAYS, GRPC_SERVICES

GROUP = "GrpcService"
AT_GATEWAY = "GrpcService at its gateway"


async def _exists(known: Known) -> Verdict:
    cluster = known.cluster
    known.service = await cluster.need(GRPC_SERVICES, cluster.namespace, known.name or "")
    return ok(f"{cluster.namespace}/{known.name} exists")


async def _accepted(known: Known) -> Verdict:
    wrong = unseen(known.service) or refused(known.service, ("Accepted", "SchemaCompatible"))
    return wrong or ok("the spec is valid")


async def _references(known: Known) -> Verdict:
    return refused(known.service, ("ResolvedRefs",)) or ok("what the spec refers to exists")


async def _descriptor(known: Known) -> Verdict:
    """The pinned descriptor; without a gateway, which pins it, what the server has."""
    service = Service(known.service, None)
    name = names.descriptor_config_map(service.described)
    if await known.cluster.get(CONFIG_MAPS, service.namespace, name) is not None:
        return ok(f"pinned in ConfigMap {name}")
    if (known.service.get("spec") or {}).get("gateway") is not None:
        words = condition(known.service, "ResolvedRefs").get("message") or "no condition says why"
        return failed(
            f"the operator has no descriptor: {words}",
            "Enable gRPC server reflection, or set spec.descriptor; then see its methods: grpcop"
            f" call {known.name} --list {known.where}",
        )
    place = await find(known.cluster, service, Via.DIRECT, None)
    async with opened(place, known.cluster, Via.DIRECT, Trust()) as (target, _):
        schema = await sources.reflected(target)
    served = ", ".join(each.name for each in schema.services)
    return ok(f"the server has reflection: {served}")


async def _hosts(known: Known) -> Verdict:
    status = known.service.get("status") or {}
    hosts = status.get("hosts") or ()
    if not hosts:
        return failed(
            "the gateway serves none of its hosts",
            f"See why: kubectl describe grpcservice {known.name} {known.where}",
        )
    wanted = ((known.service.get("spec") or {}).get("gateway") or {}).get("hostnames") or ()
    if lost := sorted({each.lower().rstrip(".") for each in wanted} - set(hosts)):
        return failed(
            f"it does not have {', '.join(lost)}",
            f"See whose it is: kubectl describe grpcservice {known.name} {known.where}",
        )
    return ok(", ".join(hosts))


async def _resolves(known: Known) -> Verdict:
    """Clients outside need the name; inside, and for grpcop, the address is enough."""
    hosts = (known.service.get("status") or {}).get("hosts") or ()
    plain = [host for host in hosts if "*" not in host]
    lost = [host for host in plain if not await _has_address(host)]
    if lost:
        return warning(
            f"{', '.join(lost)} does not resolve here",
            "Add a DNS record for the address of the gateway: kubectl get grpcgateways -A",
        )
    return ok(f"{len(plain)} hosts resolve here")


async def _has_address(host: str) -> bool:
    try:
        return bool(
            await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
        )
    except OSError:
        return False


async def gateway_of(known: Known) -> None:
    """Finds the GrpcGateway of the service, if it is attached to one."""
    namespace, _, name = str((known.service.get("status") or {}).get("gateway", "")).partition("/")
    if name:
        known.gateway = await known.cluster.get(GRPC_GATEWAYS, namespace, name)


EXISTS = Check("service", GROUP, _exists, after=("crds",))
ACCEPTED = Check("accepted", GROUP, _accepted, after=("service",))
REFERENCES = Check("references", GROUP, _references, after=("accepted",))
DESCRIPTOR = Check("descriptor", GROUP, _descriptor, after=("references",))
HOSTS = Check("hosts", AT_GATEWAY, _hosts, after=("accepted", "references"))
RESOLVES = Check("hosts-resolve", AT_GATEWAY, _resolves, after=("hosts",))
