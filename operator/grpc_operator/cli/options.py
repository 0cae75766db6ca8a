"""Arguments that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

from grpc_operator.cli.output import Format

Files = Annotated[
    list[Path],
    typer.Argument(
        help="YAML or JSON files, folders of them, or - for standard input.", show_default=False
    ),
]
Filenames = Annotated[
    list[Path],
    typer.Option(
        "--filename",
        "-f",
        help="YAML or JSON file, folder of them, or - for standard input; can be repeated.",
        show_default=False,
    ),
]
Output = Annotated[Format, typer.Option("--output", "-o", help="Form of the output.")]
ProtoPath = Annotated[
    list[Path] | None,
    typer.Option(
        "--proto-path",
        "-I",
        help="Folder that imports of .proto files are relative to; can be repeated.",
        show_default=False,
    ),
]
Descriptor = Annotated[
    Path | None,
    typer.Option(
        "--descriptor",
        help="FileDescriptorSet, .proto file, or folder of .proto files; by default what"
        " spec.descriptor has.",
        show_default=False,
    ),
]
Kubeconfig = Annotated[
    str | None,
    typer.Option(help="Kubeconfig file; by default $KUBECONFIG or ~/.kube/config."),
]
Context = Annotated[
    str | None, typer.Option(help="Context of the kubeconfig; by default the current one.")
]
Namespace = Annotated[
    str | None,
    typer.Option("--namespace", "-n", help="Namespace; by default that of the context."),
]
NamespaceOfFiles = Annotated[
    str, typer.Option("--namespace", "-n", help="Namespace of objects that name none.")
]
AllNamespaces = Annotated[
    bool, typer.Option("--all-namespaces", "-A", help="Of all namespaces.", show_default=False)
]
Watch = Annotated[
    bool,
    typer.Option("--watch", "-w", help="Go on, and print what changes.", show_default=False),
]
ServiceName = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of the GrpcService.", show_default=False)
]
