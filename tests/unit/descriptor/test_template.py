"""Path templates of google.api.http."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grpc_operator import limits
from grpc_operator.descriptor.template import Template, TemplateError, parse


@pytest.mark.parametrize(
    ("text", "segments", "verb", "variables"),
    [
        ("/v1", ("v1",), "", ()),
        ("/v1/users", ("v1", "users"), "", ()),
        ("/v1/*", ("v1", "*"), "", ()),
        ("/v1/**", ("v1", "**"), "", ()),
        ("/v1/users:batch", ("v1", "users"), "batch", ()),
        ("/v1/{id}", ("v1", "*"), "", ("id",)),
        ("/v1/{id=*}", ("v1", "*"), "", ("id",)),
        ("/v1/{id}:move", ("v1", "*"), "move", ("id",)),
        ("/v1/{a.b.c}", ("v1", "*"), "", ("a.b.c",)),
        ("/v1/{name=shelves/*}", ("v1", "shelves", "*"), "", ("name",)),
        ("/v1/{name=shelves/*/books/*}", ("v1", "shelves", "*", "books", "*"), "", ("name",)),
        ("/v1/{name=**}:get", ("v1", "**"), "get", ("name",)),
        ("/v1/{name=a/**}", ("v1", "a", "**"), "", ("name",)),
        ("/v1/{a}/b/{c=d/*}", ("v1", "*", "b", "d", "*"), "", ("a", "c")),
        ("/{first}", ("*",), "", ("first",)),
        ("/a.b_c-d~e%2F@f=g", ("a.b_c-d~e%2F@f=g",), "", ()),
    ],
)
def test_the_grammar(
    text: str, segments: tuple[str, ...], verb: str, variables: tuple[str, ...]
) -> None:
    """Every production of the comment in google/api/http.proto."""
    assert parse(text) == Template(segments, verb, variables)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "must begin with /"),
        ("v1/users", "must begin with /"),
        ("/", "needs text for a segment at its end"),
        ("/v1/", "needs text for a segment at its end"),
        ("/v1//users", 'needs text for a segment at "/users" (character 5)'),
        ("/v1/a b", 'has the unexpected " b" (character 6)'),
        ("/v1/a?b=c", 'has the unexpected "?b=c"'),
        ("/v1/\u00e9", "percent-encode the rest"),
        ("/v1/%2", "needs text for a segment"),
        ("/v1/%zz", "needs text for a segment"),
        ("/v1/a*", 'has the unexpected "*"'),
        ("/v1/***", 'has the unexpected "*"'),
        ("/v1/{", "needs a field name at its end"),
        ("/v1/{}", 'needs a field name at "}"'),
        ("/v1/{1a}", 'needs a field name at "1a}"'),
        ("/v1/{a.}", "needs } after the variable a"),
        ("/v1/{a", "needs } after the variable a"),
        ("/v1/{a=}", 'needs text for a segment at "}"'),
        ("/v1/{a=b:c}", "needs } after the variable a"),
        ("/v1/{a=b/{c}}", "has a variable within a variable"),
        ("/v1/{a}{b}", 'has the unexpected "{b}"'),
        ("/v1/{a}b", 'has the unexpected "b"'),
        ("/v1/b{a}", 'has the unexpected "{a}"'),
        ("/v1/{a}/{a}", "binds a twice"),
        ("/v1/**/*", "may have only literals after **"),
        ("/v1/{a=**}/{b=**}", "may have only literals after **"),
        ("/v1/a:", "needs text for the verb after : at its end"),
        ("/v1/a:b:c", 'has the unexpected ":c"'),
        ("/v1:a/b", 'has the unexpected "/b"'),
        ("/v1/../b", "has the segment .., which"),
        ("/v1/%2e", "has the segment %2e, which"),
        (
            "/" + "a" * limits.DESCRIPTOR_TEMPLATE.value,
            f"at most {limits.DESCRIPTOR_TEMPLATE} are allowed",
        ),
    ],
)
def test_what_the_grammar_does_not_have(text: str, expected: str) -> None:
    """The error says what and where."""
    with pytest.raises(TemplateError) as caught:
        parse(text)

    assert expected in str(caught.value)


@given(st.text(alphabet="/{}*=:.ab%2", max_size=20))
def test_what_is_accepted_can_be_routed(text: str) -> None:
    """Segments are never empty, and only literals come after ``**``."""
    try:
        template = parse("/" + text)
    except TemplateError:
        return

    assert all(template.segments)
    wild = [segment for segment in template.segments if segment in {"*", "**"}]
    assert "**" not in wild[:-1]
    assert not {"/", "{", "}", ":"}.intersection("".join(template.segments))
