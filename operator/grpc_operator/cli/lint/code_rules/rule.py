"""What a rule about source code is, and what the rules of all languages say."""

from dataclasses import dataclass, field

from grpc_operator.cli.lint.source import Language


@dataclass(frozen=True)
class Missing:
    """Something that a project with a server, or with clients, needs once.

    Attributes:
        code: The finding if it has it nowhere.
        needed_by: Matches what needs it; the finding is there.
        signs: Matches it; in Node.js also in texts, such as names of packages.
        message: What is wrong.
        fix: What to write.
        when: Match what the project must have, or else it needs nothing.
    """

    code: str
    needed_by: str
    signs: str
    message: str
    fix: str
    when: tuple[str, ...] = ()


@dataclass(frozen=True)
class Present:
    """Something that is wrong wherever it is.

    Attributes:
        code: The finding.
        found: Matches it.
        message: What is wrong.
        fix: What to write.
        in_texts: Whether it is in texts, such as the name of an option.
    """

    code: str
    found: str
    message: str
    fix: str
    in_texts: bool = False


@dataclass(frozen=True)
class Rules:
    """What is looked for in a language.

    Attributes:
        language: The language.
        missing: What projects need.
        present: What files must not have.
    """

    language: Language
    missing: tuple[Missing, ...]
    present: tuple[Present, ...] = field(default=())


NO_HEALTH = "the server has no health service, so probes and clients cannot ask for it"
NO_REFLECTION = "the server has no reflection: the gateway and tools need its descriptor by hand"
NO_INTERCEPTORS = "the server has no interceptor: calls are neither logged, measured nor checked"
NO_END = "the server ends at SIGTERM without finishing its calls"
NO_DEADLINE = "calls of this client have no deadline: they wait for ever for a server that hangs"
UNLIMITED = "messages of any size are taken: one caller can use up the memory"
LIMIT = "Set the size that the largest message needs, and send pages or a stream."
UNKNOWN = "callers get the code UNKNOWN, which says nothing and is not sent again"


NO_SIGTERM = (
    "the server does not handle SIGTERM, by which Kubernetes ends pods, so calls are cut off"
)
NO_WAIT = "writes do not wait for a slow reader: the whole stream is buffered in memory"


def at_sigterm(where: str, graceful: str) -> Missing:
    """Returns that a server which can end gracefully has to do so at SIGTERM."""
    fix = "End the server at SIGTERM, as it does for other reasons."
    return Missing(
        "GS110", where, r"\bSIGTERM\b|signal\.Notify\(\w+\)", NO_SIGTERM, fix, (graceful,)
    )


def server(
    where: str,
    *,
    health: tuple[str, str],
    reflection: tuple[str, str],
    interceptors: tuple[str, str],
    end: tuple[str, str],
) -> tuple[Missing, ...]:
    """Returns what a server needs: each a sign of it, and how to add it."""
    return (
        Missing("GS102", where, health[0], NO_HEALTH, health[1]),
        Missing("GS107", where, reflection[0], NO_REFLECTION, reflection[1]),
        Missing("GS108", where, interceptors[0], NO_INTERCEPTORS, interceptors[1]),
        Missing("GS110", where, end[0], NO_END, end[1]),
    )


LOOP = r"(?:\b(?:for|while)\b\s*(?:await\s*)?\([^{}]*\)\s*\{?|\.forEach\()[^{}]*?"
"""The beginning of a loop, up to what is in it."""
