"""Which verbs a path has, compared with the regular expressions by which Envoy routes."""

import ctypes
import re
from collections.abc import Sequence

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from grpc_operator.gateway.envoy import allowed_verbs
from grpc_operator.gateway.patterns import Pattern
from tests.unit.proxy_module.compiled import Guarded, Text, checked

ALL = b"DELETE, GET, OPTIONS, PATCH, POST, PUT"


class Paths(ctypes.Structure):
    """``struct paths``."""

    _fields_ = [("custom_verbs", Text), ("lines", Text * 33)]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """Compiles the checked library."""
    loaded = checked(tmp_path_factory.mktemp("library"), "allowed_verbs.c")
    loaded.read_paths.argtypes = [Text, ctypes.c_void_p]
    loaded.read_paths.restype = ctypes.c_bool
    loaded.allowed_verbs.argtypes = [ctypes.c_void_p, Text, Text, ctypes.c_void_p]
    loaded.allowed_verbs.restype = ctypes.c_size_t
    return loaded


def by_module(library: ctypes.CDLL, known: Sequence[Pattern], own: str, path: str) -> bytes:
    """Returns the verbs that the module finds."""
    guarded = [Guarded() for _ in range(3)]
    found, room = Paths(), ctypes.create_string_buffer(512)
    configuration = guarded[0].text(allowed_verbs.paths(known).encode())
    assert library.read_paths(configuration, ctypes.byref(found))
    verb, given_path = guarded[1].text(own.encode()), guarded[2].text(path.encode())
    length = library.allowed_verbs(ctypes.byref(found), verb, given_path, room)
    return room.raw[:length]


def by_rules(known: Sequence[Pattern], own: str, path: str) -> bytes:
    """Returns the same by regular expressions."""
    path = path.split("?", maxsplit=1)[0].rstrip("/")
    verbs = {verb for each in known if (verb := custom_verb(each))}
    asked = (re.search(r":([^/:]*)$", path) or [""])[1 if ":" in path.rsplit("/")[-1] else 0]
    asked = asked if asked in verbs else ""
    found = {
        each.verb for each in known if custom_verb(each) == asked and re.fullmatch(each.regex, path)
    }
    if "*" in found:
        return ALL if own == "HEAD" else b""
    return b"" if own in found else ", ".join(sorted(found)).encode()


def custom_verb(pattern: Pattern) -> str:
    """Returns the verb of a wildcard or a literal."""
    head, _, verb = pattern.parts[-1].rpartition(":")
    return pattern.custom_verb or (verb if head else "")


LITERALS = st.sampled_from(["v1", "users", "a.b", "x+y", "users:sync", "a:b:sync"])
PARTS = st.lists(LITERALS | st.just("*"), min_size=0, max_size=3)
VERBS = st.sampled_from(["GET", "POST", "DELETE", "PATCH", "*"])
DEEP = st.sampled_from([(), ("**",)])


@st.composite
def patterns(draw: st.DrawFn) -> Pattern:
    """Returns a path such as a binding has it."""
    parts = (draw(LITERALS), *draw(PARTS), *draw(DEEP), *draw(PARTS))
    custom = draw(st.sampled_from(["", "", "sync", "go"])) if parts[-1] in ("*", "**") else ""
    return Pattern(draw(VERBS), parts, custom)


SEGMENTS = st.sampled_from(
    [
        "v1",
        "users",
        "a.b",
        "x+y",
        "users:sync",
        "7",
        "",
        "7:sync",
        "7:go",
        ":go",
        "7:other",
        "a:b:go",
    ]
)
PATHS = st.lists(SEGMENTS, max_size=6).map(lambda parts: "/" + "/".join(parts))


@given(
    st.lists(patterns(), max_size=6, unique=True),
    st.sampled_from(["GET", "POST", "HEAD", "PUT"]),
    PATHS,
    st.sampled_from(["", "?a=/b", "/", "//?"]),
)
@example([Pattern("GET", ("v1", "**"), "go")], "POST", "/v1:go", "")
@example([Pattern("GET", ("v1", "**", "x"))], "POST", "/v1/x", "")
@example([Pattern("GET", ("v1", "**", "x"))], "POST", "/v1/a/b/x", "")
@example([Pattern("GET", ("v1", "*"), "go")], "POST", "/v1/:go", "")
def test_follows_the_routes(
    library: ctypes.CDLL, known: list[Pattern], own: str, path: str, rest: str
) -> None:
    assert by_module(library, known, own, path + rest) == by_rules(known, own, path + rest)


@given(st.text(max_size=30), st.text(max_size=5))
def test_any_path_is_read(library: ctypes.CDLL, path: str, own: str) -> None:
    assume(not own.startswith("P"))
    known = [Pattern("POST", ("v1", "*", "**", "x"), "go"), Pattern("PUT", ("v1",))]
    by_module(library, known, own, path)


def test_more_segments_than_there_are_groups(library: ctypes.CDLL) -> None:
    parts = ("v1", *["x"] * 40)
    known = [Pattern("GET", parts)]
    assert by_module(library, known, "POST", "/" + "/".join(parts)) == b"GET"
    assert by_module(library, known, "POST", "/" + "/".join(parts[1:])) == b""


def test_names_only_whole_verbs(library: ctypes.CDLL) -> None:
    """However many of them somebody invents."""
    known = [Pattern(f"VERB{number:03}" + "X" * 30, ("v1",)) for number in range(100)]
    found = by_module(library, known, "POST", "/v1").decode().split(", ")
    assert found == [each.verb for each in known[: len(found)]]
    assert len(found) > 5


@given(st.binary(max_size=60) | st.from_regex(rb"( go )?\n([0-9]{1,2}\n([A-Z]+ :(go)? /x\n)*)*"))
def test_any_configuration_is_read_or_refused(library: ctypes.CDLL, text: bytes) -> None:
    guarded, found = [Guarded() for _ in range(3)], Paths()
    if library.read_paths(guarded[0].text(text), ctypes.byref(found)):
        room = ctypes.create_string_buffer(512)
        own, path = guarded[1].text(b"GET"), guarded[2].text(b"/x:go")
        assert library.allowed_verbs(ctypes.byref(found), own, path, room) <= 512


@pytest.mark.parametrize(
    "wrong", [b" \nGET : /x\n", b" \n33\n", b" \nx\n", b" \n\n", b" \n99999999\n"]
)
def test_a_malformed_configuration_is_refused(library: ctypes.CDLL, wrong: bytes) -> None:
    guarded = Guarded()
    assert not library.read_paths(guarded.text(wrong), ctypes.byref(Paths()))
