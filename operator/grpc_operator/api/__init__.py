"""The API group ``grpc.infera.dev``: the models that CRDs and reference docs are generated from."""

from grpc_operator.api.grpc_gateway import GrpcGateway, GrpcGatewaySpec
from grpc_operator.api.grpc_service import GrpcService, GrpcServiceSpec
from grpc_operator.api.reasons import KubernetesReason, Reason
from grpc_operator.api.status import Condition, GrpcGatewayStatus, GrpcServiceStatus

GROUP = "grpc.infera.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

__all__ = [
    "API_VERSION",
    "GROUP",
    "VERSION",
    "Condition",
    "GrpcGateway",
    "GrpcGatewaySpec",
    "GrpcGatewayStatus",
    "GrpcService",
    "GrpcServiceSpec",
    "GrpcServiceStatus",
    "KubernetesReason",
    "Reason",
]
