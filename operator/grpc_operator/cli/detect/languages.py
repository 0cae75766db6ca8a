"""What gRPC looks like in the source of each language.

The names are those of grpc-go, grpcio, @grpc/grpc-js, tonic, and grpc-java with its Kotlin and
Spring relatives.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grpc_operator.cli.detect.source import Source

_PORT = r"[\"'`][^\"'`\n]{0,60}?:(?P<port>[1-9][0-9]{1,4})[\"'`]"


@dataclass(frozen=True)
class Language:
    """A language.

    Attributes:
        name: For people.
        suffixes: Of its files.
        uses: What a file with gRPC has.
        server: Where a server is made.
        registers: Where a service is added to it; the group ``name`` is that of the service.
        ports: Where it listens; the group ``port``.
        client: Where a channel is made.
        health: What the health service looks like.
        reflection: What server reflection looks like.
        variable: Where an environment variable is read; the group ``name``.
        tests: Files and folders of tests.
    """

    name: str
    suffixes: frozenset[str]
    uses: "re.Pattern[str]"
    server: "re.Pattern[str]"
    registers: "re.Pattern[str]"
    ports: "re.Pattern[str]"
    client: "re.Pattern[str]"
    health: "re.Pattern[str]"
    reflection: "re.Pattern[str]"
    variable: "re.Pattern[str]"
    tests: "re.Pattern[str]"


GO = Language(
    "Go",
    frozenset({".go"}),
    re.compile(r"\"google\.golang\.org/grpc[\"/]"),
    re.compile(r"\bgrpc\.NewServer\("),
    re.compile(r"\bRegister(?P<name>[A-Z]\w*)Server\("),
    re.compile(
        rf"\bListen\([^)\n]{{0,80}}?{_PORT}|flag\.Int\(\s*\"port\",\s*(?P<flag>[0-9]{{2,5}})"
        r"|[pP]ort\w*\s*:?=\s*\"?:?(?P<variable>[1-9][0-9]{3,4})\b"
    ),
    re.compile(r"\bgrpc\.(NewClient|Dial|DialContext)\("),
    re.compile(r"RegisterHealthServer\(|grpc/health/grpc_health_v1"),
    re.compile(r"\breflection\.Register(V1)?\("),
    re.compile(r"\bos\.(?:Getenv|LookupEnv)\(\s*\"(?P<name>\w+)\""),
    re.compile(r"_test\.go$"),
)
PYTHON = Language(
    "Python",
    frozenset({".py"}),
    re.compile(r"^[ \t]*(import|from)\s+grpc\b", re.MULTILINE),
    re.compile(r"\bgrpc\.(aio\.)?server\(|(?<![.\w])aio\.server\("),
    re.compile(
        r"\badd_(?P<name>[A-Z]\w*)Servicer_to_server\b"
        r"|^class\s+\w+\([^)\n]{0,100}?\b(?P<base>[A-Z]\w*)Servicer\b",
        re.MULTILINE,
    ),
    re.compile(
        rf"\badd_(?:in)?secure_port\(\s*[fr]?{_PORT}"
        r"|(?i:\bport\w*)\s*(?::\s*\w+\s*)?=\s*[\"']?(?P<variable>[1-9][0-9]{3,4})\b"
        r"|(?:getenv|environ\.get)\(\s*[\"'](?:GRPC_)?PORT[\"'],\s*[\"']?(?P<flag>[0-9]{2,5})"
    ),
    re.compile(r"\bgrpc\.(aio\.)?(in)?secure_channel\("),
    re.compile(r"add_HealthServicer_to_server\(|\bgrpc_health\b|\bgrpc_service_kit\b"),
    re.compile(r"\benable_server_reflection\(|\bgrpc_service_kit\b"),
    re.compile(
        r"\b(?:getenv|environ\.get)\(\s*[\"'](?P<name>\w+)[\"']|environ\[[\"'](?P<item>\w+)"
    ),
    re.compile(r"(^|/)(tests?/|conftest\.py$|test_[^/]*\.py$)|_test\.py$"),
)
NODE = Language(
    "Node",
    frozenset({".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"}),
    re.compile(r"[\"'](@grpc/grpc-js|grpc|@grpc/proto-loader|nice-grpc)[\"']"),
    re.compile(r"\bnew\s+(?:\w+\.)*Server\(|\bcreateServer\("),
    re.compile(
        r"(?:\baddService|\.add)\(\s*(?:[\w.#]+,\s*)?(?:\w+\.)*?(?P<name>[A-Z]\w*?)(?:Service\b(?!\.)|\.service\b|Definition\b)"
    ),
    re.compile(
        rf"\bbind(?:Async)?\([^)]{{0,80}}?{_PORT}"
        r"|(?i:\bport\b)\s*(?::\s*\w+\s*)?=[^;\n]{0,60}?(?P<variable>[1-9][0-9]{3,4})\b"
        rf"|(?i:\baddr\w*|\bhost\w*)\s*=[^;\n]{{0,60}}?{_PORT.replace('port', 'flag')}"
    ),
    re.compile(r"\bcredentials\.create(Insecure|Ssl)\("),
    re.compile(r"grpc-health-check|grpc-js-health"),
    re.compile(r"@grpc/reflection|grpc-node-server-reflection|\bServerReflection\b"),
    re.compile(r"\bprocess\.env(?:\.(?P<name>[A-Z]\w*)|\[[\"'](?P<item>\w+))"),
    re.compile(r"(^|/)(__tests__|tests?)/|\.(test|spec)\.[cm]?[jt]s$"),
)
RUST = Language(
    "Rust",
    frozenset({".rs"}),
    re.compile(r"\btonic(_health|_reflection)?::"),
    re.compile(r"\bServer::builder\(\)"),
    re.compile(
        r"(?:add_service\(|=)\s*(?:\w+::)*(?P<name>[A-Z]\w*)Server::(?:new|with_interceptor)\("
    ),
    re.compile(_PORT),
    re.compile(r"\b\w+Client::connect\("),
    re.compile(r"\btonic_health\b"),
    re.compile(r"\btonic_reflection\b"),
    re.compile(r"\benv::var(?:_os)?\(\s*\"(?P<name>\w+)\""),
    re.compile(r"(^|/)(tests|benches)/"),
)
JAVA = Language(
    "Java",
    frozenset({".java", ".kt"}),
    re.compile(r"\bio\.grpc\b|@GrpcService\b"),
    re.compile(
        r"\b(?:Netty|OkHttp)?(?:Server)Builder\s*\.?\s*\.forPort\(|\bGrpc\.newServerBuilderForPort\(|@GrpcService\b"
    ),
    re.compile(
        r"\bextends\s+(?:\w+\.)*(?P<name>[A-Z]\w*)Grpc\.\w*ImplBase|:\s*(?:\w+\.)*(?P<kotlin>[A-Z]\w*)GrpcKt\.\w+CoroutineImplBase"
    ),
    re.compile(
        r"(?:forPort|newServerBuilderForPort)\(\s*(?P<port>[0-9]{2,5})"
        r"|(?i:\bport)\s*=\s*(?P<variable>[1-9][0-9]{3,4})\b"
    ),
    re.compile(r"ChannelBuilder\s*\.\s*for(Address|Target)\(|@GrpcClient\b"),
    re.compile(r"\bHealthStatusManager\b|\bio\.grpc\.health\b"),
    re.compile(r"\bProtoReflectionService"),
    re.compile(r"\bSystem\.getenv\(\s*\"(?P<name>\w+)\""),
    re.compile(r"(^|/)src/test/|Test\.(java|kt)$"),
)
ALL = (GO, PYTHON, NODE, RUST, JAVA)

_GENERATED_NAMES = re.compile(
    r"\.pb(\.gw)?\.go$|_grpc\.pb\.go$|_pb2(_grpc)?\.py$|_(grpc_)?pb\.([cm]?js|d\.ts|ts)$"
    r"|_(connect|connectweb)\.ts$|(^|/)(gen|generated|genproto)/"
)
_INFRASTRUCTURE = frozenset({"Health", "ServerReflection", "Reflection", "Channelz"})


@dataclass(frozen=True)
class Place:
    """Something that was found.

    Attributes:
        value: The name or number.
        where: ``FILE:LINE``.
    """

    value: str
    where: str


def language_of(file: Path) -> Language | None:
    """Returns the language of a source file; ``None`` for tests, generated code and others."""
    name = file.as_posix()
    if _GENERATED_NAMES.search(name):
        return None
    found = next((each for each in ALL if file.suffix in each.suffixes), None)
    return None if found is None or found.tests.search(name) else found


def registered(language: Language, source: Source) -> Iterator[Place]:
    """Yields the simple names of the services that a file adds to a server."""
    for found in language.registers.finditer(source.text):
        name = next(each for each in found.groups() if each)
        if name not in _INFRASTRUCTURE:
            yield Place(name, source.where(found.start()))


def ports(language: Language, source: Source) -> Iterator[Place]:
    """Yields the ports on which a file seems to listen."""
    for found in language.ports.finditer(source.text):
        number = next(each for each in found.groupdict().values() if each)
        if 1 <= int(number) <= 65535:  # noqa: PLR2004 - ports
            yield Place(number, source.where(found.start()))


def variables(language: Language, source: Source) -> Iterator[str]:
    """Yields the environment variables that a file reads."""
    for found in language.variable.finditer(source.text):
        yield next(each for each in found.groupdict().values() if each)
