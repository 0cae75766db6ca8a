"""Targets ``gateway-api`` and ``envoy-gateway``: routes for other gateways.

Gateway API v1 has no transcoding, so REST paths go to a proxy that transcodes, such as one with the
configuration of the target ``envoy``, by ``--transcoder``.

- ``routes``: GRPCRoutes and HTTPRoutes; ``gateway``: Gateways
- ``policies``: what Envoy Gateway adds
- ``standard``, ``envoy_gateway``: the targets
"""
