"""What the module of the proxies decides about headers, compared with the same rules in Python.

The C code is compiled with checks, and every text ends where memory ends (``compiled``).
"""

import ctypes
import re
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grpc_operator.gateway.envoy import resource_names
from tests.envoy.protocols import malformed
from tests.unit.proxy_module.compiled import Guarded, Text, checked

Header = tuple[bytes, bytes]

LISTENER = b"http"
LONGEST_SCOPE, LONGEST_PROBLEM, LONGEST_NAME = 1024, 128, 64

REMOVED = {
    b"forwarded",
    b"x-forwarded-host",
    b"x-forwarded-port",
    b"x-forwarded-prefix",
    b"x-forwarded-server",
    b"x-real-ip",
    b"endpoint-load-metrics-bin",
    b"grpc-internal-encoding-request",
    b"grpc-message",
    b"grpc-retry-pushback-ms",
    b"grpc-server-stats-bin",
    b"grpc-status",
    b"grpc-status-details-bin",
    b"grpclb_client_stats",
    b"lb-cost-bin",
    b"lb-token",
    resource_names.MALFORMED_HEADER.encode(),
}
RULES = {
    b"grpc-timeout": (rb"[0-9]{1,8}[HMSmun]", b"it must be like 100m"),
    b"grpc-encoding": (rb"identity|deflate|gzip", b"it must be identity, deflate or gzip"),
    b"grpc-previous-rpc-attempts": (rb"[0-9]{1,9}", b"it must be a number"),
}
"""What the values of some headers must be like."""

BASE64 = rb"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}(==)?|[A-Za-z0-9+/]{3}=?)?"
NAME = rb":?[0-9a-z_.-]+"


class CHeader(ctypes.Structure):
    """``struct header``."""

    _fields_ = [("name", Text), ("value", Text)]


class Verdict(ctypes.Structure):
    """``struct verdict``."""

    _fields_ = [
        ("removed", Text * 256),
        ("removed_count", ctypes.c_size_t),
        ("scope", ctypes.c_char * LONGEST_SCOPE),
        ("scope_length", ctypes.c_size_t),
        ("problem", ctypes.c_char * LONGEST_PROBLEM),
        ("problem_length", ctypes.c_size_t),
    ]


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """Compiles the checked library."""
    loaded = checked(tmp_path_factory.mktemp("library"), "request_headers.c")
    loaded.judge.argtypes = [ctypes.c_void_p, ctypes.c_size_t, Text, ctypes.c_void_p]
    loaded.judge.restype = None
    return loaded


def by_module(
    judge: ctypes.CDLL, headers: Sequence[Header], guarded: Sequence[Guarded]
) -> tuple[list[bytes], bytes, bytes]:
    """Returns the removed names, the scope and the problem that the module finds."""
    places = iter(guarded)
    given = (CHeader * max(1, len(headers)))()
    for at, (name, value) in enumerate(headers):
        given[at] = CHeader(next(places).text(name), next(places).text(value))
    found = Verdict()
    listener = next(places).text(LISTENER)
    judge.judge(ctypes.byref(given), len(headers), listener, ctypes.byref(found))
    removed = [
        ctypes.string_at(each.bytes, each.length) for each in found.removed[: found.removed_count]
    ]
    scope = bytes(
        ctypes.string_at(ctypes.addressof(found) + Verdict.scope.offset, found.scope_length)
    )
    problem = ctypes.string_at(
        ctypes.addressof(found) + Verdict.problem.offset, found.problem_length
    )
    return removed, scope, problem


def by_rules(headers: Sequence[Header]) -> tuple[list[bytes], bytes, bytes]:
    """Returns the same by the rules."""
    removed = [name for name, _ in headers if name in REMOVED or name.startswith(b"x-envoy-")]
    rest = [(name, value) for name, value in headers if name not in removed]
    of_grpc, problems = False, []
    for name, value in rest:
        if name == b"content-type":
            of_grpc = value.lower().startswith(b"application/grpc")
        if reason := reason_against(name, value):
            unsupported = of_grpc and name == b"grpc-encoding"
            problems.append((b"unsupported" if unsupported else b"malformed", name, reason))
    last = dict(rest)
    if of_grpc and last.get(b":method") != b"POST":
        problems.append((b"unsupported", b":method", b"it must be POST"))
    texts = [b"%s %s: %s" % (kind, name[:LONGEST_NAME], why) for kind, name, why in problems]
    segment = re.match(rb"[\s\S]?[^/?]*", last.get(b":path", b""))
    assert segment is not None
    scope = LISTENER + segment[0]
    scope = scope if len(scope) <= LONGEST_SCOPE else LISTENER
    return list(dict.fromkeys(removed)), scope, (texts or [b""])[0]


def reason_against(name: bytes, value: bytes) -> bytes | None:
    """Returns why a server could not parse a header, if so."""
    if name in RULES:
        pattern, reason = RULES[name]
        return None if re.fullmatch(pattern, value) else reason
    if name.endswith(b"-bin"):
        return None if re.fullmatch(BASE64, value) else b"it must be base64"
    return None if re.fullmatch(NAME, name) else b"it is not the name of metadata"


NAMES = st.sampled_from(
    [
        *sorted(REMOVED),
        *RULES,
        *(b":path", b":method", b"content-type", b"x-envoy-a", b"x-envoy-", b"x-envoy"),
        *(b"x-token-bin", b"-bin", b"bin", b"", b":", b"X", b"x!token", b"x_y.z-1"),
        b"x" * 200,
    ]
) | st.binary(max_size=12)
VALUES = (
    st.sampled_from(
        [
            *(b"POST", b"GET", b"application/grpc", b"Application/GRPC-web+proto", b"text/plain"),
            *(b"gzip", b"identity", b"br", b"/v1/users?x=/", b"/a.B/C", b"*", b"?", b"/"),
            b"/" + b"s" * 1100,
            *(
                value.encode()
                for headers in (*malformed.REFUSED, *malformed.UNSUPPORTED)
                for _, value in headers
            ),
        ]
    )
    | st.from_regex(rb"[A-Za-z0-9+/]{0,9}={0,3}", fullmatch=True)
    | st.from_regex(rb"[0-9]{0,10}[HMSmunx\0]?", fullmatch=True)
    | st.binary(max_size=20)
)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=12))
@example([(b"x-envoy-a", b"1"), (b"x-envoy-a", b"2")])
@example([(b"grpc-timeout", b"1\0")])
def test_follows_the_rules(
    judge: ctypes.CDLL, guarded: Sequence[Guarded], headers: list[Header]
) -> None:
    assert by_module(judge, headers, guarded) == by_rules(headers)


@pytest.fixture(scope="module")
def guarded() -> Sequence[Guarded]:
    """Enough places for the texts of a request."""
    return [Guarded() for _ in range(2 * 12 + 1)]


def test_as_many_headers_as_fit(judge: ctypes.CDLL) -> None:
    """More than Envoy accepts; all of them are to be removed."""
    headers = [(b"x-envoy-%d" % number, b"") for number in range(256)]
    removed, scope, problem = by_module(judge, headers, [Guarded() for _ in range(513)])
    assert (removed, scope, problem) == ([name for name, _ in headers], LISTENER, b"")
