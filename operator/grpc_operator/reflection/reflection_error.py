"""Why a server's descriptors could not be read."""

from grpc_operator.api.reasons import Reason

INSTEAD = "give the FileDescriptorSet in spec.descriptor.configMap or spec.descriptor.inline"


class ReflectionError(Exception):
    """A server did not give its descriptors.

    Attributes:
        reason: For machines: it has no reflection; it did not answer; it sent more than is
            accepted; what it sent is not valid.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
