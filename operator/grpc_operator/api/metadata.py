"""The part of metav1.ObjectMeta that the operator reads."""

from grpc_operator.api.base import ApiModel


class ObjectMeta(ApiModel):
    """Who an object is."""

    name: str
    namespace: str
    uid: str
    generation: int
    creation_timestamp: str = ""
    deletion_timestamp: str | None = None
