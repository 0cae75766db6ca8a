"""What a Dockerfile puts into its last stage, done by hand, as far as simple ones go."""

import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

_INSTRUCTION = re.compile(r"^([A-Z]+) (.*?(?:\\\n.*?)*)$", re.MULTILINE)


@dataclass
class Image:
    """The last stage, in a folder that stands for the root."""

    root: Path
    directory: Path
    """Where the process starts."""
    entrypoint: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    user: str = "root"


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    """Returns every instruction with its arguments."""
    return _INSTRUCTION.findall(dockerfile)


def copied(dockerfile: str) -> list[str]:
    """Returns what all stages copy from the build context."""
    copies = [words.split() for name, words in instructions(dockerfile) if name == "COPY"]
    return [source for words in copies if not words[0].startswith("--") for source in words[:-1]]


def image(dockerfile: str, context: Path, root: Path) -> Image:
    """Copies what the last stage copies, but for what comes from other stages."""
    made = Image(root, root)
    for name, words in instructions(dockerfile):
        if name == "FROM":
            made = Image(root, root)
        elif name == "WORKDIR":
            made.directory = root / words.lstrip("/")
            made.directory.mkdir(parents=True)
        elif name == "COPY" and not words.startswith("--") and made.directory != root:
            _copy(context, words.split(), made.directory)
        elif name == "ENV":
            made.environment |= dict(word.split("=", 1) for word in words.split())
        elif name == "USER":
            made.user = words
        elif name == "ENTRYPOINT":
            made.entrypoint = json.loads(words)
    return made


def _copy(context: Path, words: list[str], directory: Path) -> None:
    *sources, target = words
    for source in map(context.joinpath, sources):
        if source.is_dir():
            shutil.copytree(source, directory / target)
        else:
            shutil.copy(source, directory / target)
