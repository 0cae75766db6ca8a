"""Every limit on what a user, a server, a client or a proxy can cost: docs/limits.md lists them.

A limit is defined here, and the code that enforces it reads ``limits.NAME.value``.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """A limit.

    Attributes:
        name: What is limited, as users read it: "Methods of one gRPC service".
        value: The most that is accepted.
        unit: Of the value: ``bytes``, ``characters``, ``routes``, ``seconds``, ...
        protects: Whom or what would suffer without it.
        raise_it: The chart value or field that raises it, or why nothing does and what to do
            instead.
    """

    name: str
    value: int
    unit: str
    protects: str
    raise_it: str

    def __str__(self) -> str:
        """Returns the value, for messages: ``f"at most {limits.NAME} are read"``."""
        return str(self.value)


def every() -> dict[str, Limit]:
    """Returns every limit of this module by the name of its constant, in the order of the file."""
    return {name: value for name, value in globals().items() if isinstance(value, Limit)}


DESCRIPTOR_BYTES = Limit(
    "FileDescriptorSet of one GrpcService, pruned to what its gRPC services need",
    2 * 1024 * 1024,
    "bytes",
    "The proxies, each of which parses it, and the operator; with REST, `budget.service` of the"
    " GrpcGateway ends it earlier",
    "Fixed. Expose fewer gRPC services in `spec.services`.",
)

DESCRIPTOR_PLAIN_BYTES = Limit(
    "The same as it is stored in the ConfigMap `NAME-grpc-descriptor`, before it is compressed with"
    " gzip",
    512 * 1024,
    "bytes",
    "The API server",
    "Fixed. `gzip -cdf` reads both.",
)

DESCRIPTOR_STORED_BYTES = Limit(
    "The same, compressed",
    960 * 1024,
    "bytes",
    "The API server, where it must fit a ConfigMap; real sets shrink to a fifth",
    "Fixed by Kubernetes. Expose fewer gRPC services in `spec.services`.",
)

DESCRIPTOR_DETAILS_BYTES = Limit(
    "Messages in the FileDescriptorSet of one GrpcService that no method mentions, but that an Any"
    " or the details of an error may hold",
    256 * 1024,
    "bytes",
    "The proxies, each of which needs 36 times as much memory",
    "Fixed. Whole files are kept, those of the packages of the exposed gRPC services first.",
)

DESCRIPTOR_INPUT_BYTES = Limit(
    "FileDescriptorSet of one GrpcService as it is given, before pruning",
    4 * 1024 * 1024,
    "bytes",
    "The operator's memory and CPU; it is gRPC's default limit of one message as well",
    "Fixed. Leave out source info, and what the exposed services do not need.",
)

DESCRIPTOR_FILES = Limit(
    "Files of a FileDescriptorSet before pruning",
    1000,
    "files",
    "The operator's CPU; with reflection, the number of calls",
    "Fixed. Give a FileDescriptorSet of what the exposed services need.",
)

DESCRIPTOR_IMPORTS = Limit(
    "Imports of all files of a FileDescriptorSet together",
    10_000,
    "imports",
    "The operator's CPU",
    "Fixed. Give a FileDescriptorSet of what the exposed services need.",
)

DESCRIPTOR_SYMBOLS = Limit(
    "Messages, enums and services of a FileDescriptorSet before pruning",
    50_000,
    "symbols",
    "The operator's memory and CPU",
    "Fixed. Give a FileDescriptorSet of what the exposed services need.",
)

DESCRIPTOR_SERVICES = Limit(
    "gRPC services that one GrpcService exposes",
    512,
    "services",
    "The operator's CPU, and the size of `status.services`",
    "Fixed. Expose fewer in `spec.services`, or divide them among GrpcServices.",
)

DESCRIPTOR_METHODS = Limit(
    "Methods of one gRPC service",
    256,
    "methods",
    "The size of `status.services[].methods`",
    "Fixed. Divide the gRPC service.",
)

STATUS_SERVICES = Limit(
    "`status.services`, as JSON; then methods are left out, and counted in `omittedMethods`",
    256 * 1024,
    "bytes",
    "The API server; a method takes about 150 bytes",
    "Fixed. Those with rules that cannot be served are kept longest.",
)

SCHEMA_FINDINGS = Limit(
    "Breaking changes that are searched for when a new revision is compared with the stable one,"
    " besides those in `rollout.schema.allow`",
    100,
    "changes",
    "The operator's memory and CPU",
    "Fixed. Fix or allow the first ones; `SchemaCompatible` says that there are more.",
)

DESCRIPTOR_BINDINGS = Limit(
    "HTTP bindings of one method",
    16,
    "bindings",
    "The size of `status.services[].methods[].rest`",
    "Fixed. Remove `additional_bindings`.",
)

REST_RULES = Limit(
    "Rules in `spec.gateway.rest.rules`",
    256,
    "rules",
    "The API server, which checks each of them",
    "Fixed. Write `google.api.http` into the proto files, or divide the gRPC services among"
    " GrpcServices.",
)

DESCRIPTOR_ALL_BINDINGS = Limit(
    "HTTP bindings of all methods of one GrpcService",
    8192,
    "bindings",
    "The operator's memory and CPU, before the budget of the gateway is known",
    "Fixed; more do not fit a gateway. Expose fewer gRPC services in `spec.services`.",
)

DESCRIPTOR_TEMPLATE = Limit(
    "Path template of an HTTP binding",
    1024,
    "characters",
    "The operator's and the proxies' CPU: a template becomes a regular expression",
    "Fixed. Shorten the path.",
)

DESCRIPTOR_NESTING = Limit(
    "Messages inside of messages",
    31,
    "levels",
    "The proxies: protobuf's DescriptorPool, with which Envoy loads the set, refuses the 32nd",
    "Fixed by protobuf. Define the messages at a higher level.",
)

REFLECTION_BYTES = Limit(
    "All responses of one server to reflection",
    16 * DESCRIPTOR_INPUT_BYTES.value,
    "bytes",
    "The operator's network and CPU; servers send a file again with every other one that imports"
    " it",
    "Fixed. Give the FileDescriptorSet in `spec.descriptor`.",
)

REFLECTION_SERVICES = Limit(
    "gRPC services that a server lists by reflection",
    640,
    "services",
    "The number of calls",
    "Fixed. Give the FileDescriptorSet in `spec.descriptor`.",
)

CALLS = Limit(
    "Descriptors that are read from their sources at a time, and as many calls of health and REST"
    " through a proxy",
    8,
    "calls",
    "The operator's memory: a server may send all that one reading may take",
    "Fixed. The others wait, and the namespaces take turns.",
)

CALLS_OF_NAMESPACE = Limit(
    "The same of one namespace",
    2,
    "calls",
    "The other namespaces, from servers that do not answer",
    "Fixed. The others wait; a reading that failed is repeated after 5 s, doubled up to 5 minutes.",
)

DESCRIPTOR_LOADS = Limit(
    "FileDescriptorSets that are parsed at a time",
    2,
    "sets",
    "The operator's memory and CPU; each takes up to 60 MiB and 2 s",
    "Fixed. The others wait, and the namespaces take turns.",
)

SERVICE_MEMORY = Limit(
    "Memory that the configuration of one GrpcService needs in a proxy, computed from hosts,"
    " listeners, methods, REST bindings and descriptor",
    96 * 1024 * 1024,
    "bytes",
    "The proxies, and the operator, which builds and sends it",
    "`budget.service` of the GrpcGateway",
)

NAMESPACE_MEMORY = Limit(
    "The same of all GrpcServices of a namespace at a gateway, in percent of that of all",
    75,
    "%",
    "The other namespaces",
    "`budget.namespace` of the GrpcGateway",
)

GATEWAY_MEMORY = Limit(
    "The same of all GrpcServices at a gateway whose proxies have no other limit of memory than the"
    " default; with another one, a quarter of it",
    128 * 1024 * 1024,
    "bytes",
    "Every service of the gateway, from a proxy that reaches its limit of memory",
    "`resources.limits.memory` of the GrpcGateway; or `budget.total`",
)

JSON_MESSAGE = Limit(
    "A JSON message, `spec.gateway.maxMessageBytes`, with the default memory of the proxies",
    16 * 1024 * 1024,
    "bytes",
    "The proxies, in which it takes 7 times its size while it is transcoded",
    "`resources.limits.memory` of the GrpcGateway: a 64th of it, up to 64 MiB",
)

NAME_LENGTH = Limit(
    "Name of a GrpcService or GrpcGateway",
    54,
    "characters",
    "The names of its children, which must be DNS labels (63 characters) with their suffixes",
    "Fixed by Kubernetes. Choose a shorter name.",
)

OVERLAY_BYTES = Limit(
    "`spec.podTemplate.spec`, as JSON",
    64 * 1024,
    "bytes",
    "The operator's CPU",
    "Fixed. Move data to a ConfigMap and mount it.",
)

OVERLAY_DEPTH = Limit(
    "Nesting of `spec.podTemplate.spec`",
    16,
    "levels",
    "The operator's stack",
    "Fixed; no field of a PodSpec is nested deeper.",
)

CONDITION_MESSAGE = Limit(
    "Message of a condition, which is cut at this length",
    4096,
    "characters",
    "The size of the status",
    "Fixed; Kubernetes allows 32768.",
)

EVENT_NOTE = Limit(
    "Note of an Event, which is cut at this length",
    1000,
    "bytes",
    "The API server, which refuses longer ones (1024 bytes)",
    "Fixed by Kubernetes. The condition has more.",
)

TERMINATION_MESSAGE = Limit(
    "Termination message of a container that a condition quotes, cut to its end",
    300,
    "characters",
    "The size of the status",
    "Fixed. `kubectl logs --previous` shows all of it.",
)

QUOTED_ERROR = Limit(
    "Error message of the API server that a condition quotes, cut at this length",
    1000,
    "characters",
    "The size of the status, and the other messages of the condition",
    "Fixed. The operator's log has all of it.",
)

XDS_NAMES = Limit(
    "Resource names that one xDS stream subscribes to",
    20_000,
    "names",
    "The operator's memory and CPU",
    "Fixed. Divide the GrpcServices among GrpcGateways.",
)

XDS_NAME = Limit(
    "Name, or version, of a resource that an xDS stream subscribes to",
    1024,
    "characters",
    "The operator's memory",
    "Fixed. Names that the operator gives are shorter.",
)

XDS_TYPES = Limit(
    "Types of resources that one xDS stream subscribes to",
    16,
    "types",
    "The operator's memory",
    "Fixed. The operator has five types.",
)

XDS_REQUEST_BYTES = Limit(
    "One request on an xDS stream",
    4 * 1024 * 1024,
    "bytes",
    "The operator's memory; a proxy that reconnects sends all names and versions in one request",
    "Fixed. Divide the GrpcServices among GrpcGateways.",
)

XDS_UNASKED_REQUESTS = Limit(
    "Requests of one xDS stream that answer no response, at once; after that 50 a second are read",
    1000,
    "requests",
    "The operator's CPU",
    "Fixed. A proxy that sends more is slowed down and loses nothing.",
)

XDS_PROXIES = Limit(
    "Proxies that one replica of the operator serves",
    1000,
    "proxies",
    "The operator's memory and CPU",
    "Raise `replicaCount`: proxies connect to any replica.",
)

XDS_CONNECTIONS = Limit(
    "Connections to the xDS server of one replica; each takes about 46 KiB, before it is known",
    1200,
    "connections",
    "The operator's memory; further ones are closed at once, and idle ones after 10 s",
    "Raise `replicaCount`. The NetworkPolicy keeps others than proxies and replicas away.",
)

XDS_CONNECTION_STREAMS = Limit(
    "Calls at a time on one connection to the xDS server",
    8,
    "calls",
    "The operator's memory",
    "Fixed. A proxy needs two.",
)

XDS_UNKNOWN_CALLS = Limit(
    "Calls to the xDS server whose token is being checked",
    64,
    "calls",
    "The operator's memory; further ones are to try again",
    "Fixed. Raise `replicaCount`, so that each replica has fewer to check.",
)

XDS_STREAM_SECONDS = Limit(
    "Lifetime of an xDS stream, after which the proxy must present its current token, to any"
    " replica of the operator; up to a fifth less, by chance",
    600,
    "seconds",
    "Whoever revokes a token: it is checked again no later than this. And the proxies, which are"
    " spread over the replicas again",
    "Fixed. Proxies reconnect without losing calls.",
)

LOAD_REPORT_CLUSTERS = Limit(
    "Revisions at one gateway whose calls the proxies report, of GrpcServices with several",
    500,
    "revisions",
    "The operator's memory and CPU; without reports a rollout waits, and streams end at"
    " `streams.limit`",
    "Fixed. Divide the GrpcServices among GrpcGateways, or roll out fewer at a time.",
)

LOAD_REPORT_ENTRIES = Limit(
    "Clusters and localities of one load report",
    20_000,
    "entries",
    "The operator's CPU",
    "Fixed. A proxy reports a revision once for each zone and priority.",
)

CALL_STATISTICS_BYTES = Limit(
    "What a proxy says of the calls of one GrpcService, by method, status and time",
    4 * 1024 * 1024,
    "bytes",
    "The operator's memory and CPU; without it, only the calls of all methods together are judged",
    "Fixed. About 130 bytes for each method and status; expose fewer gRPC services.",
)

CALL_STATISTICS_SERIES = Limit(
    "Methods, statuses and times of one GrpcService that are counted during a rollout",
    50_000,
    "series",
    "The operator's memory",
    "Fixed. Expose fewer gRPC services.",
)

TOKEN_BYTES = Limit(
    "Token that a proxy or another replica presents",
    8192,
    "bytes",
    "The API server and the operator's memory",
    "Fixed. Tokens of ServiceAccounts have about 1000 bytes.",
)

TOKEN_REVIEWS_AT_ONCE = Limit(
    "TokenReviews at a time",
    4,
    "requests",
    "The API server",
    "Fixed. Further ones wait.",
)

TOKEN_REVIEWS_WAITING = Limit(
    "Tokens that are reviewed or wait for it",
    64,
    "tokens",
    "The operator's memory; whoever presents another one is to try again",
    "Fixed. Proxies try again within 2 seconds.",
)

TOKEN_REVIEWS_REFUSED = Limit(
    "Refused tokens from one IP address in a minute, after which others from it are not reviewed",
    10,
    "tokens",
    "The API server",
    "Fixed. A token that was found valid within the last minute is accepted all the same.",
)

TOKEN_REVIEWS_CACHED = Limit(
    "Answers to TokenReviews that are remembered, for a minute",
    2048,
    "answers",
    "The operator's memory",
    "Fixed. The oldest is forgotten.",
)

XDS_ERROR = Limit(
    "Error message of a proxy, which is cut at this length",
    2000,
    "characters",
    "The operator's memory and the size of the status",
    "Fixed. The proxy's log has all of it.",
)

PROXY_CONNECTIONS = Limit(
    "Client connections of one proxy, beyond which it refuses new ones",
    50_000,
    "connections",
    "The proxy's memory; it is the figure of Envoy's best practices",
    "Fixed. Raise `spec.replicas` or `spec.autoscaling` of the GrpcGateway.",
)

ACCEPTED_CLAIMS = Limit(
    "gRPC services, REST paths and prefixes of one GrpcService whose age `status.claims` keeps",
    4096,
    "claims",
    "The size of the status, 14 bytes for each",
    "Fixed. Divide the gRPC services among GrpcServices. What exceeds it is served, but loses a"
    " later conflict.",
)

REWRITE_PERIOD = Limit(
    "Time between two writes of an object whose fields another manager changes back each time",
    60,
    "seconds",
    "The API server, and everything that watches the object, such as the pods of a Deployment",
    "Fixed. `Ready` names the other manager and the fields: let only one of them manage these.",
)

PROXY_CALLS = Limit(
    "Calls to one GrpcService that one proxy has at a time, open streams included",
    10_000,
    "calls",
    "The proxy's memory, which is shared with the other GrpcServices",
    "Fixed. Raise `spec.replicas` or `spec.autoscaling` of the GrpcGateway.",
)

PROXY_UPSTREAM_CONNECTIONS = Limit(
    "Connections of one proxy to the pods of one GrpcService",
    1_000,
    "connections",
    "The proxy's memory and file descriptors; a connection has many calls at a time",
    "Fixed. Allow more concurrent streams in the server of the GrpcService.",
)
