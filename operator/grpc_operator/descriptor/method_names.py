"""Names of methods by the conventions of the API Improvement Proposals (aip.dev): verb and noun."""

import re
from dataclasses import dataclass

STANDARD = ("Get", "List", "Create", "Update", "Delete")
"""The verbs of the standard methods (AIP-131 to AIP-135)."""

READING = ("BatchGet", "Search", "Watch")
"""Other verbs of methods that only read (AIP-231, AIP-136)."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]*|[a-z]+|[0-9]+")
_SERVICE = re.compile(r"(?<=.)(Service|Api|API|Svc)$")
_VERSION = re.compile(r"v[0-9]+((alpha|beta)[0-9]*)?(p[0-9]+((alpha|beta)[0-9]*)?)?")
_ES = ("s", "x", "z", "ch", "sh")


@dataclass(frozen=True)
class Parts:
    """The name of a method.

    Attributes:
        verb: Such as ``Get``, or a custom one such as ``BatchCreate``.
        noun: What follows, such as ``User`` or ``Users``.
    """

    verb: str
    noun: str


def standard(method: str) -> Parts | None:
    """Returns the parts of a standard method, such as ``GetUser``; ``None`` for other names.

    The noun is empty where the method is called only ``Get``.
    """
    first, *rest = _words(method) or [""]
    verb = first.capitalize()
    return Parts(verb, "".join(map(_capital, rest))) if verb in STANDARD else None


def custom(method: str, nouns: set[str]) -> Parts | None:
    """Returns the parts of a custom method (AIP-136), such as ``ArchiveUser``.

    Args:
        method: Its name.
        nouns: Those of the resources that it may be about, in singular and plural.
    """
    words = [_capital(each) for each in _words(method)]
    for count in range(1, len(words)):
        noun = "".join(words[count:])
        if noun in nouns:
            return Parts("".join(words[:count]), noun)
    return None


def of_service(name: str) -> str:
    """Returns the resource that a service is named after: ``User`` of ``UserService``."""
    return singular("".join(_capital(each) for each in _words(_SERVICE.sub("", name))))


def version(package: str) -> str:
    """Returns the version that ends the name of a package, such as ``v1``; empty for none."""
    last = package.rpartition(".")[2]
    return last if _VERSION.fullmatch(last) else ""


def singular(noun: str) -> str:
    """Returns a noun without the ending of the regular English plural."""
    if noun.endswith("ies"):
        return f"{noun[:-3]}y"
    if noun.endswith(tuple(f"{ending}es" for ending in ("ss", *_ES[1:]))):
        return noun[:-2]
    return noun[:-1] if noun.endswith("s") and not noun.endswith("ss") else noun


def plural(noun: str) -> str:
    """Returns the regular English plural."""
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(_ES) else f"{noun}s"


def camel(name: str) -> str:
    """Returns a name in lowerCamelCase, as segments of paths are written (AIP-122)."""
    first, *rest = _words(name) or [""]
    return first.lower() + "".join(map(_capital, rest))


def snake(name: str) -> str:
    """Returns a name in lower_snake_case, as fields are."""
    return "_".join(each.lower() for each in _words(name))


def _words(name: str) -> list[str]:
    return _WORD.findall(name)


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]
