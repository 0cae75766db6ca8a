"""The files that a proxy starts from: its bootstrap, its drain script, and SDS files.

The bootstrap is text because Envoy reads it as a file; jinja2 refuses unknown variables, and every
value goes through ``tojson``, so no value can change the structure.
"""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from grpc_operator import names
from grpc_operator.api import GrpcGatewaySpec
from grpc_operator.desired.gateway import proxy_resources, status_routes
from grpc_operator.desired.gateway.proxy_settings import GatewaySettings
from grpc_operator.hashing import canonical_json

BOOTSTRAP_FILE = "bootstrap.yaml"
DRAIN_FILE = "drain.sh"

STATUS_NAME = "grpc-operator-status"
"""Name and stat prefix of the status listener; longer than any listener of a GrpcGateway."""

_LOADER = PackageLoader(__package__, "")
_SDS_TYPE = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
_CA_FILE = f"{names.XDS_CA}.crt"


def files(spec: GrpcGatewaySpec, settings: GatewaySettings) -> dict[str, str]:
    """Returns what Envoy reads once, when it starts: the content of each file by its name."""
    with_tls = [listener.name for listener in spec.listeners if listener.tls is not None]
    return {
        BOOTSTRAP_FILE: bootstrap(spec, settings),
        DRAIN_FILE: _text(DRAIN_FILE),
        f"{names.XDS_CA}.json": _ca_sds(),
        f"{names.XDS_TOKEN}.json": _token_sds(),
        **{f"{names.sds_secret(name)}.json": sds(name) for name in with_tls},
    }


def watched_files(settings: GatewaySettings) -> dict[str, str]:
    """Returns the files that Envoy reads again when they change."""
    return {_CA_FILE: settings.xds_ca}


def bootstrap(spec: GrpcGatewaySpec, settings: GatewaySettings) -> str:
    """Returns Envoy's bootstrap (envoy.config.bootstrap.v3.Bootstrap) as YAML.

    Envoy takes its node from the command line: the pod's name is known only there.
    """
    return template("bootstrap.yaml.j2").render(
        admin_port=names.GATEWAY_ADMIN_PORT,
        status_port=names.GATEWAY_STATUS_PORT,
        status_name=STATUS_NAME,
        status_routes=status_routes.ALL,
        xds_host=settings.xds_host,
        xds_port=settings.xds_port,
        ca_name=names.XDS_CA,
        ca_sds=names.sds_file(names.XDS_CA),
        token_name=names.XDS_TOKEN,
        token_sds=names.sds_file(names.XDS_TOKEN),
        max_connections=proxy_resources.connections(spec),
        heap=proxy_resources.heap_bytes(spec),
    )


def sds(listener: str) -> str:
    """Returns the SDS file (a DiscoveryResponse) with the certificate of a listener.

    Envoy watches the folder, in which the kubelet replaces both files at once by moving a symbolic
    link, so a renewed certificate is used without a restart.
    """
    folder = names.certificate_folder(listener)
    return _sds(
        names.sds_secret(listener),
        tls_certificate={
            "certificate_chain": {"filename": f"{folder}/tls.crt"},
            "private_key": {"filename": f"{folder}/tls.key"},
            "watched_directory": {"path": folder},
        },
    )


def _ca_sds() -> str:
    folder = names.bootstrap_folder()
    trusted = {"filename": f"{folder}/{_CA_FILE}"}
    context = {"trusted_ca": trusted, "watched_directory": {"path": folder}}
    return _sds(names.XDS_CA, validation_context=context)


def _token_sds() -> str:
    """The folder of the file is watched without saying so: only certificates have the field."""
    token = {"filename": f"{names.xds_token_folder()}/{names.XDS_TOKEN_FILE}"}
    return _sds(names.XDS_TOKEN, generic_secret={"secret": token})


def _sds(name: str, **secret: Any) -> str:
    return canonical_json({"resources": [{"@type": _SDS_TYPE, "name": name, **secret}]})


@cache
def template(name: str) -> Template:
    """Returns a template of this package that refuses unknown variables."""
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    return Environment(
        loader=_LOADER,
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - YAML, not HTML; tojson is the escaping
        keep_trailing_newline=True,
    )


@cache
def _text(name: str) -> str:
    return _LOADER.get_source(_environment(), name)[0]
