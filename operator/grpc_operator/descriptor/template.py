"""Path templates of ``google.api.http``, by the grammar in the comments of google/api/http.proto.

::

    Template  = "/" Segments [ Verb ] ;
    Segments  = Segment { "/" Segment } ;
    Segment   = "*" | "**" | LITERAL | Variable ;
    Variable  = "{" FieldPath [ "=" Segments ] "}" ;
    FieldPath = IDENT { "." IDENT } ;
    Verb      = ":" LITERAL ;

What follows ``**`` may be literals only, as in Envoy's transcoder (``ValidateParts`` of
grpc-httpjson-transcoding); ``**`` then matches one segment or more.

A LITERAL consists of what may stand in a URL path as it is (RFC 3986 ``pchar``, percent-encoded
where needed), without ``*``, which would read as a wildcard, and ``:``, which begins the verb.
Envoy compares it byte by byte with the path that a client sends.
"""

import re
from dataclasses import dataclass

from grpc_operator import limits
from grpc_operator.descriptor.descriptor_error import shown

_LITERAL = re.compile(r"(?:[-A-Za-z0-9._~!$&'()+,;=@]|%[0-9A-Fa-f]{2})+")
_FIELD_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[.][A-Za-z_][A-Za-z0-9_]*)*")
_WILDCARD = re.compile(r"[*][*]?")


class TemplateError(ValueError):
    """A path template is not what the grammar allows. The message says what and where."""


@dataclass(frozen=True)
class Template:
    """A parsed path template.

    Attributes:
        segments: Literals, ``*`` and ``**``, with variables replaced by what they match.
        custom_verb: What follows the ``:``; empty when there is none.
        variables: Field paths.
    """

    segments: tuple[str, ...]
    custom_verb: str
    variables: tuple[str, ...]


def parse(text: str) -> Template:
    """Parses a path template.

    Raises:
        TemplateError: Names what is wrong.
    """
    if len(text) > limits.DESCRIPTOR_TEMPLATE.value:
        raise TemplateError(
            f"has {len(text)} characters; at most {limits.DESCRIPTOR_TEMPLATE} are allowed"
        )
    return _Parser(text).template()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._found: list[str] = []
        self._variables: list[str] = []

    def template(self) -> Template:
        self._expect("/", "must begin with /")
        self._segments(in_variable=False)
        verb = ""
        if self._take(":"):
            verb = self._literal("the verb after :")
        if self._at < len(self._text):
            raise TemplateError(f"has the unexpected {self._rest()}")
        after = self._found[self._found.index("**") + 1 :] if "**" in self._found else []
        if "*" in after or "**" in after:
            raise TemplateError("may have only literals after **, which takes all that is left")
        return Template(tuple(self._found), verb, tuple(self._variables))

    def _segments(self, *, in_variable: bool) -> None:
        self._segment(in_variable=in_variable)
        while self._take("/"):
            self._segment(in_variable=in_variable)

    def _segment(self, *, in_variable: bool) -> None:
        if self._text.startswith("{", self._at):
            if in_variable:
                raise TemplateError("has a variable within a variable")
            self._variable()
            return
        wildcard = self._match(_WILDCARD)
        self._found.append(wildcard or self._literal("a segment"))

    def _variable(self) -> None:
        self._at += 1
        path = self._match(_FIELD_PATH)
        if not path:
            raise TemplateError(f"needs a field name at {self._rest()}")
        if path in self._variables:
            raise TemplateError(f"binds {shown(path)} twice")
        self._variables.append(path)
        if self._take("="):
            self._segments(in_variable=True)
        else:
            self._found.append("*")
        self._expect("}", f"needs }} after the variable {shown(path)}")

    def _literal(self, what: str) -> str:
        literal = self._match(_LITERAL)
        if not literal:
            raise TemplateError(
                f"needs text for {what} at {self._rest()}: letters, digits and -._~!$&'()+,;=@;"
                " percent-encode the rest"
            )
        if literal.lower().replace("%2e", ".") in {".", ".."}:
            raise TemplateError(f"has the segment {literal}, which clients and Envoy resolve away")
        return literal

    def _match(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match.group()

    def _take(self, token: str) -> bool:
        if not self._text.startswith(token, self._at):
            return False
        self._at += len(token)
        return True

    def _expect(self, token: str, otherwise: str) -> None:
        if not self._take(token):
            raise TemplateError(otherwise)

    def _rest(self) -> str:
        rest = self._text[self._at :]
        return f'"{shown(rest)}" (character {self._at + 1})' if rest else "its end"
