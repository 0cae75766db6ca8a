"""Parts of a static configuration of Envoy, as JSON."""

from typing import Any

_TYPES = "type.googleapis.com/envoy.extensions"
_MANAGER = "filters.network.http_connection_manager.v3.HttpConnectionManager"

LISTENER = "http"


def packed(message: str, **fields: Any) -> dict[str, Any]:
    """Returns an extension's message for a field of the type Any.

    Args:
        message: Its name after ``envoy.extensions.``.
        fields: Its fields.
    """
    return {"@type": f"{_TYPES}.{message}", **fields}


def http_filter(
    name: str, message: str, *, disabled: bool = False, **fields: Any
) -> dict[str, Any]:
    """Returns an HTTP filter.

    Args:
        name: After ``envoy.filters.http.``.
        message: As in ``packed``, after ``filters.http.``.
        disabled: Whether a route has to enable it.
        fields: Of the message.
    """
    made: dict[str, Any] = {
        "name": f"envoy.filters.http.{name}",
        "typed_config": packed(f"filters.http.{message}", **fields),
    }
    return made | {"disabled": True} if disabled else made


def listener(manager: dict[str, Any], *before: dict[str, Any]) -> dict[str, Any]:
    """Returns a listener on a free port.

    Args:
        manager: Fields of its HttpConnectionManager.
        before: Network filters in front of it.
    """
    network = {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": packed(_MANAGER, **manager),
    }
    return {
        "name": LISTENER,
        "address": address(0),
        "filter_chains": [{"filters": [*before, network]}],
    }


def cluster(upstream: int, http2: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Returns the cluster ``users``.

    Args:
        upstream: Port on loopback.
        http2: Options of HTTP/2.
        fields: What else it has.
    """
    name = "upstreams.http.v3.HttpProtocolOptions"
    options = packed(name, explicit_http_config={"http2_protocol_options": http2})
    endpoint = {"endpoint": {"address": address(upstream)}}
    return {
        "name": "users",
        "type": "STATIC",
        "typed_extension_protocol_options": {f"envoy.extensions.{name}": options},
        "load_assignment": {
            "cluster_name": "users",
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
        **fields,
    }


def address(port: int) -> dict[str, Any]:
    """Returns the address of a port on loopback."""
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
