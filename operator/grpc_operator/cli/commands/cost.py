"""``grpcop cost``."""

from pathlib import Path
from typing import Annotated

import typer

from grpc_operator.cli.options import Output
from grpc_operator.cli.output import Format

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def cost(
    *,
    filename: Annotated[
        list[Path] | None,
        typer.Option(
            "--filename",
            "-f",
            help="File with GrpcServices, whose resources and replicas count; can be repeated.",
            show_default=False,
        ),
    ] = None,
    requests: Annotated[str, typer.Option(help="Calls a month, such as 250k or 1M.")] = "1M",
    avg_ms: Annotated[float, typer.Option(min=0.1, help="Average time of a call.")] = 50.0,
    response_kib: Annotated[
        float, typer.Option(min=0, help="Average size of a response to the internet, in KiB.")
    ] = 10.0,
    cpu: Annotated[
        str | None, typer.Option(help="CPU of an instance; by default that of the file, or 1.")
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(help="Memory of an instance; by default that of the file, or 512Mi."),
    ] = None,
    min_instances: Annotated[
        int | None,
        typer.Option(min=0, help="Instances at least; by default those of the file, or 1."),
    ] = None,
    max_instances: Annotated[
        int | None,
        typer.Option(min=1, help="Instances at most; by default those of the file, or 10."),
    ] = None,
    concurrency: Annotated[
        int, typer.Option(min=1, help="Calls that an instance serves at the same time.")
    ] = 80,
    cluster_share: Annotated[
        int,
        typer.Option(min=1, max=100, help="Percentage of a Kubernetes cluster that is its own."),
    ] = 100,
    free_tier: Annotated[
        bool, typer.Option(help="Whether the free tiers of the accounts are left for it.")
    ] = True,
    price: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Another price; can be repeated."),
    ] = None,
    prices: Annotated[
        Path | None,
        typer.Option(help="File with other prices, of the form that docs/cost.md shows."),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show each item, its formula, and all inputs.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Estimate what a service costs a month on Cloud Run, ECS Fargate and Kubernetes."""
    from grpc_operator.cli.cost.command import Request, run

    request = Request(
        files=filename or (),
        requests=requests,
        milliseconds=avg_ms,
        kibibytes=response_kib,
        cpu=cpu,
        memory=memory,
        least=min_instances,
        most=max_instances,
        concurrency=concurrency,
        share=cluster_share,
        free=free_tier,
        prices_file=prices,
        given_prices=price or (),
    )
    run(request, output, explain=explain)
