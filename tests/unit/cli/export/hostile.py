"""Strings that would change configuration into which they were pasted."""

from itertools import product

_CLOSING = [
    '"',
    '"}',
    '"\n}',
    '"]',
    "'",
    "`",
    "\\",
    '\\"',
    '\\\\"',
    '"))',
    "*/",
    "\n",
    "\r\n",
    "\t",
]
_INJECTED = [
    'resource "null_resource" "x" {}',
    '${file("/etc/passwd")}',
    "%{ if true }x%{ endif }",
    "# comment",
    "<<EOF\nx\nEOF",
]
_ODD = [
    'a"b',
    "",
    " ",
    "$",
    "%",
    "$$",
    "${",
    "%{",
    "$${",
    "$$${",
    "%%{",
    "$%{",
    "%${",
    "${~",
    "{{ jinja }}",
    "{% raw %}",
    "\x00",
    "\x07\x08\x0b\x0c\x1b[31m",
    "\x7f\x85",
    "\u2028\u2029",
    "a\ufeff",
    "\U0001f600",
    "\u202etxet",
    "true",
    "null",
    "1e9",
    "0x10",
    "~",
    "a: b",
    "x" * 4000,
    "\\u0041",
    "\\n",
    "${var.project_name}",
    '${"${1}"}',
]

STRINGS = [
    *_ODD,
    *(closing + injected for closing, injected in product(_CLOSING, _INJECTED)),
]
"""At least a hundred; none of them is a sequence that Unicode normalization changes."""
