"""Which checks are made, in what order, and how the command ends."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from functools import partial

from grpc_operator.cli.check import (
    api_server,
    before,
    calls,
    crds,
    gateways,
    installation,
    pods,
    rights,
    service,
)
from grpc_operator.cli.check.engine import made
from grpc_operator.cli.check.model import (
    Check,
    Known,
    Result,
    Status,
    Verdict,
    condition,
    failed,
    full_name,
    ok,
)
from grpc_operator.cli.check.show import Lines
from grpc_operator.cli.errors import CliError, ExitCode
from grpc_operator.cli.output import Format, write_json, write_text, write_yaml
from grpc_operator.kube.connection import Kubeconfig
from grpc_operator.resources import GRPC_GATEWAYS, GRPC_SERVICES

_PROTOCOLS = ("GRPC", "GRPCWeb", "REST")
_SHOWN = 5


@dataclass(frozen=True)
class Options:
    """One command.

    Attributes:
        name: Of a GrpcService to check; ``None`` for the installation and the gateways.
        pre: Whether to check what an installation needs.
        limit: Seconds for each check.
        form: How results are printed.
        kubeconfig: The cluster.
        namespace: What the user has named.
    """

    name: str | None
    pre: bool
    limit: float
    form: Format
    kubeconfig: Kubeconfig
    namespace: str | None


async def check(options: Options) -> ExitCode:
    """Makes the checks, and prints each as soon as it has ended.

    Returns:
        ``FOUND`` if one has failed.
    """
    results: list[Result] = []
    shown = Lines() if options.form in {Format.TABLE, Format.WIDE} else None
    async with AsyncExitStack() as stack:
        known = Known(options.kubeconfig, options.namespace, options.name, stack)
        async with aclosing(_results(options, known)) as found:  # type: ignore[type-var]
            async for result in found:
                results.append(result)
                if shown is not None:
                    shown.show(result)
    _print(options.form, results)
    if shown is not None:
        shown.end(results)
    wrong = any(each.verdict.status is Status.FAILED for each in results)
    return ExitCode.FOUND if wrong else ExitCode.OK


async def _results(options: Options, known: Known) -> AsyncIterator[Result]:
    """Yields the results: which checks a later stage has depends on what an earlier one found."""
    if options.pre:
        async for result in made([*api_server.CHECKS, *before.CHECKS], known, options.limit):
            yield result
        return
    first = [
        *api_server.CHECKS,
        *crds.CHECKS,
        rights.CHECKS[0],
        *installation.CHECKS,
        rights.CHECKS[1],
        *((service.EXISTS,) if options.name else ()),
    ]
    passed: set[str] = set()
    async for result in made(first, known, options.limit):
        if result.verdict.status in {Status.OK, Status.WARNING}:
            passed.add(result.check.name)
        yield result
    if "crds" in passed and (options.name is None or "service" in passed):
        async for result in made(await _second(options, known), known, options.limit):
            yield result


async def _second(options: Options, known: Known) -> Sequence[Check]:
    try:
        if options.name is None:
            found = await known.cluster.list(GRPC_GATEWAYS, None)
            each = [check for one in found for check in gateways.checks(one, ())]
            return [*each, Check("services", service.GROUP, _services)]
        await service.gateway_of(known)
    except CliError as error:
        return [Check("gateways", "GrpcGateway", partial(_unreadable, error))]
    own = [service.ACCEPTED, service.REFERENCES, *pods.CHECKS, service.DESCRIPTOR]
    spec = (known.service.get("spec") or {}).get("gateway")
    if spec is None:
        return own
    of_gateway = gateways.checks(known.gateway, ()) if known.gateway is not None else []
    protocols = set(spec.get("protocols") or _PROTOCOLS)
    return [*own, *of_gateway, service.HOSTS, service.RESOLVES, *calls.checks(protocols)]


async def _unreadable(error: CliError, _: Known) -> Verdict:
    raise error


async def _services(known: Known) -> Verdict:
    found = await known.cluster.list(GRPC_SERVICES, None)
    bad = [each for each in found if condition(each, "Ready").get("status") != "True"]
    if not bad:
        return ok(f"{len(found)} GrpcServices are ready")
    names = ", ".join(map(full_name, bad[:_SHOWN]))
    metadata = bad[0]["metadata"]
    return failed(
        f"{len(bad)} of {len(found)} GrpcServices are not ready: {names}",
        f"See why: grpcop check {metadata['name']} -n {metadata['namespace']}",
    )


def _print(form: Format, results: Sequence[Result]) -> None:
    if form is Format.JSON:
        write_json([each.plain for each in results])
    elif form is Format.YAML:
        write_yaml(each.plain for each in results)
    elif form is Format.NAME:
        for each in results:
            if each.verdict.status is Status.FAILED:
                write_text(each.check.name)
