"""The methods of a service, with how each is called."""

from collections.abc import Sequence

from grpc_operator.cli.output import Column, Format, Table, write
from grpc_operator.descriptor import Method, Service

_COLUMNS = (Column("METHOD"), Column("KIND"), Column("REST"), Column("SAMPLE"))


def show(services: Sequence[Service], form: Format) -> None:
    """Prints the methods.

    Args:
        services: gRPC services.
        form: How.
    """
    found = [(service, method) for service in services for method in service.methods]
    rows = [
        (_name(service, method), method.kind, ", ".join(_rest(method)) or "-", method.sample.text)
        for service, method in found
    ]
    items = [
        {
            "method": _name(service, method),
            "kind": method.kind,
            "rest": _rest(method),
            "sample": method.sample.text,
        }
        for service, method in found
    ]
    table = Table(_COLUMNS, rows, empty="The descriptor has no methods.")
    write(form, table, items, (_name(service, method) for service, method in found))


def _name(service: Service, method: Method) -> str:
    return f"{service.name}/{method.name}"


def _rest(method: Method) -> list[str]:
    return [f"{each.verb} {each.template}" for each in method.bindings]
