"""Names of images, for sources that have none."""

import re
from dataclasses import dataclass

from grpc_operator.cli.errors import CliError
from grpc_operator.cli.importing.fields import Fields
from grpc_operator.cli.importing.report import Effect
from grpc_operator.cli.importing.written import Written

PLACEHOLDER = "replace-me.invalid/{project}/{service}:{version}"
"""No registry can have this host (RFC 6761), so it cannot pull what somebody else has put there."""

_FIELDS = ("project", "service", "version")


@dataclass(frozen=True)
class Images:
    """How images are named.

    Attributes:
        template: With ``{project}``, ``{service}`` and ``{version}``; ``None`` if the user gave
            none.
        version: What ``{version}`` stands for.
    """

    template: str | None = None
    version: str = "latest"

    def of(self, project: str, service: str) -> str:
        """Returns the image of a service.

        Raises:
            CliError: The template has another field.
        """
        values = {"project": project, "service": service, "version": self.version}
        text = self.template or PLACEHOLDER
        for name in re.findall(r"\{([^{}]*)\}", text):
            if name not in values:
                raise CliError(
                    f"--image-template: has {{{name[:40]}}}",
                    fix=f"Use {', '.join(f'{{{each}}}' for each in _FIELDS)}.",
                )
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def explain(self, written: Written, fields: Fields) -> None:
        """Adds a comment and a remark where the image is a guess."""
        if self.template is None:
            fields.say(
                Effect.GUESSED,
                "the file has no image; give it with"
                " --image-template 'REGISTRY/{project}/{service}:{version}'",
            )
            written.comment("A placeholder: infera.yaml has no image.", "spec", "image")
