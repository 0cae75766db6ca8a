"""gRPC-Web requests as Envoy's filter knows them, whatever headers a client writes or leaves out.

The filter compares content types byte by byte, while letters have no case and parameters may follow
(RFC 9110, 8.3.1). It decodes base64 as it arrives, and holds back what is not a multiple of four
bytes. The router would then get a second time what it has kept for a retry (``addDecodedData``),
and the server would get other bytes than the client sent: so calls in base64 are never retried.
Formats that the filter does not know, such as ``+json``, are left to servers that speak gRPC-Web.
"""

from envoy.config.route.v3 import route_components_pb2 as route

from grpc_operator.gateway.envoy import filters, header_matchers, resource_names

NO_RETRIES = "x-envoy-max-retries"
"""The router removes it, and clients cannot send it: the module does."""


def enable(on: route.Route) -> None:
    """Has the requests of a gRPC-Web route prepared.

    Args:
        on: A route to a cluster.
    """
    on.typed_per_filter_config[resource_names.GRPC_WEB_REQUESTS].CopyFrom(filters.enabled())
    if on.route.HasField("retry_policy"):
        on.route.retry_policy.retriable_request_headers.append(header_matchers.absent(NO_RETRIES))
