"""What others say is quoted where it cannot mislead."""

import pytest

from grpc_operator.quotes import one_line, printable


@pytest.mark.parametrize(
    ("message", "quoted"),
    [
        ("no such cluster", "no such cluster"),
        ("two\nlines\r\n\tand more", "two lines and more"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("\u202egnissim\u202c", "gnissim"),
        ("zero\u200bwidth\x00", "zero width"),
        ('it is fine". Ready: "yes', "it is fine'. Ready: 'yes"),
        ("x" * 9999, "x" * 100),
    ],
    ids=["plain", "lines", "terminal", "reversed", "invisible", "ends the quotation", "long"],
)
def test_words_cannot_pretend_to_be_the_operators(message: str, quoted: str) -> None:
    """One line without control characters, which cannot end the quotation marks around it."""
    assert one_line(message, 100) == quoted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("zwölf\n\t„ja“", "zwölf\n\t„ja“"),
        ("a\x1b[31mb\x07\r", "a\\x1b[31mb\\x07\\r"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
    ],
)
def test_what_controls_a_terminal_is_escaped(text: str, expected: str) -> None:
    assert printable(text) == expected
