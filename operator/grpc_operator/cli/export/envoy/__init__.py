"""Target ``envoy``: one file with everything that Envoy needs, without a control plane.

The configuration is what the operator would send to its proxies, made of the same intermediate
representation; ``static`` has what differs.
"""

from grpc_operator.cli.export.envoy.coverage import COVERAGE, GATEWAY_COVERAGE
from grpc_operator.cli.export.envoy.target import OPTIONS, export

__all__ = ["COVERAGE", "GATEWAY_COVERAGE", "OPTIONS", "export"]
