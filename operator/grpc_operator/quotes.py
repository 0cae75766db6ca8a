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
