"""``grpcop describe``: all that is known of one GrpcService, on one page."""

import asyncio
from datetime import UTC, datetime

from grpc_operator.cli import connection, output
from grpc_operator.cli.errors import ExitCode
from grpc_operator.cli.live import description, page, related
from grpc_operator.cli.live.target import Target
from grpc_operator.cli.output import Format


def run(target: Target, form: Format) -> ExitCode:
    """Prints what is known of a service.

    Returns:
        ``FOUND`` if the service is not healthy.
    """
    found = asyncio.run(_read(target))
    now = datetime.now(UTC)
    data = description.of(found, now)
    match form:
        case Format.JSON:
            output.write_json(data)
        case Format.YAML:
            output.write_yaml([data])
        case Format.NAME:
            output.write_text(f"grpcservice.grpc.infera.dev/{data['name']}")
        case _:
            for line in page.lines(data, now, everything=form is Format.WIDE):
                output.write_text(line)
    return ExitCode.OK if data["healthy"] else ExitCode.FOUND


async def _read(target: Target) -> related.Related:
    async with connection.cluster(target.kubeconfig, target.namespace) as cluster:
        return await related.read(cluster, target.name, events=True, gateway=True)
