"""The options of every command, with kind's names, shorthands and defaults."""

import argparse
import os
import re
from typing import NoReturn

from localkind import DEFAULT_CLUSTER_NAME
from localkind.errors import LocalKindError

_DURATION_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_CLUSTER_NAME = re.compile(r"[a-z0-9.-]+")
_MAX_NAME = 38
"""`system:node:NAME-control-plane` is a common name: at most 64 characters (RFC 5280, A.1)."""


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are one line and exit code 1, as kind's are."""

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong with the command line, in one line."""
        if found := re.fullmatch(r"unrecognized arguments: (.*)", message):
            first = found[1].split()[0]
            message = (
                f"unknown flag: {first}" if first.startswith("-") else f"unknown argument: {first}"
            )
        raise LocalKindError(f'{message} (see "{self.prog} --help")')


def duration(text: str) -> float:
    """Seconds of a Go duration such as `1m30s` (https://pkg.go.dev/time#ParseDuration)."""
    units = "|".join(sorted(_DURATION_UNITS, key=len, reverse=True))
    parts = re.findall(rf"(\d+(?:\.\d+)?|\.\d+)({units})", text)
    if text == "0":
        return 0.0
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise LocalKindError(f'invalid duration "{text}": use for example 90s or 2m')
    return sum(float(number) * _DURATION_UNITS[unit] for number, unit in parts)


def cluster_name(text: str) -> str:
    """A name that kind accepts, and that is safe as the name of files and cgroups."""
    if not _CLUSTER_NAME.fullmatch(text) or text.strip(".") == "" or len(text) > _MAX_NAME:
        raise LocalKindError(
            f"'{text}' is not a valid cluster name, cluster names must match "
            f"`^{_CLUSTER_NAME.pattern}$` and have at most {_MAX_NAME} characters"
        )
    return text


def build_parser() -> Parser:
    """The whole command line."""
    parser = Parser(prog="localkind", allow_abbrev=False, description=_DESCRIPTION)
    _common(parser, top=True)
    commands = parser.add_subparsers(dest="group", metavar="COMMAND", required=True)
    _create(_group(commands, "create", "Creates a cluster"))
    _delete(_group(commands, "delete", "Deletes clusters"))
    _get(_group(commands, "get", "Gets one of clusters, nodes, kubeconfig"))
    _load(_group(commands, "load", "Loads images into nodes"))
    _export(_group(commands, "export", "Exports one of kubeconfig, logs"))
    _leaf(commands, "version", "version", "Prints the version")
    _only_localkind(commands)
    return parser


_DESCRIPTION = "localkind: kind's commands without Docker. Runs a local Kubernetes cluster."
_Commands = argparse._SubParsersAction  # noqa: SLF001  (argparse has no public name for it)


def _create(commands: "_Commands[Parser]") -> None:
    parser = _leaf(commands, "cluster", "create cluster", "Creates a local Kubernetes cluster")
    _name(parser, default=None)
    _kubeconfig(parser)
    parser.add_argument("--config", metavar="FILE", help="path to a kind config file, - for stdin")
    parser.add_argument("--image", help="ignored: localkind has one version of Kubernetes")
    parser.add_argument(
        "--retain", action="store_true", help="keep what exists when creation fails"
    )
    parser.add_argument(
        "--wait", type=duration, default=0.0, metavar="DURATION",
        help="wait for the cluster's DNS as well, for at most this long, e.g. 30s",
    )  # fmt: skip
    parser.add_argument(
        "--control-plane-only", action="store_true",
        help="localkind only: etcd, API server and controller manager, without a node",
    )  # fmt: skip


def _delete(commands: "_Commands[Parser]") -> None:
    one = _leaf(commands, "cluster", "delete cluster", "Deletes a cluster")
    _name(one)
    _kubeconfig(one)
    several = _leaf(commands, "clusters", "delete clusters", "Deletes one or more clusters")
    several.add_argument("names", nargs="*", type=cluster_name, metavar="NAME")
    several.add_argument("--all", "-A", action="store_true", help="delete all clusters")
    _kubeconfig(several)


def _get(commands: "_Commands[Parser]") -> None:
    _leaf(commands, "clusters", "get clusters", "Lists clusters by their name")
    nodes = _leaf(commands, "nodes", "get nodes", "Lists nodes by their name")
    _name(nodes)
    nodes.add_argument("--all-clusters", "-A", action="store_true", help="nodes of all clusters")
    kubeconfig = _leaf(commands, "kubeconfig", "get kubeconfig", "Prints a cluster's kubeconfig")
    _name(kubeconfig)
    _internal(kubeconfig)


def _load(commands: "_Commands[Parser]") -> None:
    for name, metavar, text in (
        ("docker-image", "IMAGE", 'Loads images that "build image" has built into nodes'),
        ("image-archive", "IMAGE.tar", "Loads images from archives into nodes"),
    ):
        parser = _leaf(commands, name, f"load {name}", text)
        _name(parser)
        parser.add_argument("images", nargs="+", metavar=metavar)
        parser.add_argument("--nodes", help="comma separated list of nodes to load images into")


def _export(commands: "_Commands[Parser]") -> None:
    kubeconfig = _leaf(
        commands, "kubeconfig", "export kubeconfig", "Exports a cluster's kubeconfig"
    )
    _name(kubeconfig)
    _kubeconfig(kubeconfig)
    _internal(kubeconfig)
    logs = _leaf(commands, "logs", "export logs", "Exports logs to a tempdir or [output-dir]")
    _name(logs)
    logs.add_argument("directory", nargs="?", metavar="output-dir")


def _only_localkind(commands: "_Commands[Parser]") -> None:
    build = _group(commands, "build", "Builds images (localkind only)")
    image = _leaf(build, "image", "build image", "Builds an image that load docker-image can load")
    image.add_argument("context", metavar="CONTEXT", help="the directory with the Dockerfile")
    image.add_argument("--tag", "-t", required=True, help="the image's name and tag")
    image.add_argument("--file", "-f", help="the Dockerfile (default: CONTEXT/Dockerfile)")
    image.add_argument("--build-arg", action="append", default=[], metavar="KEY=VALUE")
    info = _leaf(commands, "info", "info", "Prints a cluster's addresses as JSON (localkind only)")
    _name(info)
    tools = _leaf(commands, "tools", "tools", "Prints where a built program is (localkind only)")
    tools.add_argument("tools", nargs="*", metavar="TOOL", help="kt, coredns, pause, helm")
    _leaf(commands, "provider", "provider", 'Prints "kind" or "localkind", whichever is to be used')


def _group(commands: "_Commands[Parser]", name: str, text: str) -> "_Commands[Parser]":
    parser = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
    return parser.add_subparsers(dest="noun", metavar="COMMAND", required=True)


def _leaf(commands: "_Commands[Parser]", name: str, command: str, text: str) -> Parser:
    parser = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
    parser.set_defaults(command=command)
    _common(parser)
    return parser


def _common(parser: Parser, *, top: bool = False) -> None:
    """Kind's persistent flags; a subcommand must not reset what stood before it."""
    suppress = argparse.SUPPRESS
    parser.add_argument(
        "-q", "--quiet", action="store_true", default=False if top else suppress,
        help="silence all stderr output",
    )  # fmt: skip
    parser.add_argument(
        "-v", "--verbosity", type=int, default=0 if top else suppress, help=suppress
    )


def _name(parser: Parser, default: str | None = DEFAULT_CLUSTER_NAME) -> None:
    """Kind's rule: the option, else $KIND_CLUSTER_NAME, else the default."""
    parser.add_argument(
        "--name", "-n", type=cluster_name, default=os.environ.get("KIND_CLUSTER_NAME") or default,
        help="the cluster name, overrides KIND_CLUSTER_NAME (default kind)",
    )  # fmt: skip


def _kubeconfig(parser: Parser) -> None:
    parser.add_argument(
        "--kubeconfig", metavar="FILE",
        help="sets kubeconfig path instead of $KUBECONFIG or $HOME/.kube/config",
    )  # fmt: skip


def _internal(parser: Parser) -> None:
    parser.add_argument(
        "--internal", action="store_true", help="no difference: one address for both"
    )
