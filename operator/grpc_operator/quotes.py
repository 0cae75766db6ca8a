"""Texts of others, such as error messages, as they can be quoted in one of ours."""


def one_line(text: str, most: int) -> str:
    """Returns a text as one line, cut, without double quotes.

    What does not print, such as colors of a terminal or marks that reverse the order of characters,
    is left out.

    Args:
        text: Anything.
        most: Characters that are kept.
    """
    # Cut first: the text may be very long.
    printable = "".join(each if each.isprintable() else " " for each in text[:most])
    return " ".join(printable.replace('"', "'").split())


def printable(text: str) -> str:
    """Returns a text that a terminal only prints: what would control it is escaped, as in Python.

    Args:
        text: One line or several; tabs and line ends stay.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        each if each.isprintable() or each in "\n\t" else ascii(each)[1:-1] for each in text
    )
