"""A command that has commands."""

from typing import Any

from typer.core import TyperGroup


class Group(TyperGroup):
    """Has no options but --help, and does not import pydantic for that of its commands."""

    def get_help_option(self, ctx: Any) -> Any:
        """Returns the option, which is false when it is not given rather than unset.

        Typer converts an unset value by pydantic, which takes longer to import than all the rest.
        """
        option = super().get_help_option(ctx)
        if option is not None:
            option.default = False
        return option
