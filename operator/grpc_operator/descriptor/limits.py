"""How much of a FileDescriptorSet is accepted. It comes from users' pods and is not trusted."""

MAX_BYTES = 512 * 1024
"""Largest pruned set in bytes: it must fit a ConfigMap (1 MiB, in base64) and be parsed quickly by
every proxy."""

NEARLY = MAX_BYTES * 9 // 10
"""Size in bytes from which a set is nearly too large."""

MAX_INPUT_BYTES = 4 * 1024 * 1024
"""Largest set before pruning in bytes; also gRPC's default limit of one message."""

MAX_FILES = 1000
"""Most files of a set before pruning."""

MAX_IMPORTS = 10_000
"""Most imports of all files of a set together."""

MAX_SYMBOLS = 50_000
"""Most messages, enums and services of a set before pruning."""

MAX_SERVICES = 32
"""Most gRPC services of one GrpcService (``status.services``)."""

MAX_METHODS = 256
"""Most methods of one gRPC service (``status.services[].methods``)."""

MAX_BINDINGS = 16
"""Most HTTP bindings of one method (``status.services[].methods[].rest``)."""

MAX_TEMPLATE = 1024
"""Longest path template in characters."""

MAX_NESTING = 31
"""Most levels of messages in messages. protobuf's C++ DescriptorPool, which Envoy loads a set
with, refuses the 32nd."""
