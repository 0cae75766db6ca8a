"""What images were made of, to know that one need not be built again."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from localkind import paths


@dataclass(frozen=True)
class Inputs:
    """The inputs of a build, and the record of those of the image that has its name.

    Attributes:
        name: the full name of the image.
        digest: changes whenever the result of the build would.
    """

    name: str
    digest: str

    def made(self, image_id: str | None) -> bool:
        """Whether the image of this ID was made of these inputs."""
        record = self._record()
        return (
            image_id is not None and record.is_file() and record.read_text() == self._text(image_id)
        )

    def save(self, image_id: str | None) -> None:
        """Write down that the image of this ID was made of these inputs."""
        self._record().parent.mkdir(parents=True, exist_ok=True)
        self._record().write_text(self._text(image_id))

    def _record(self) -> Path:
        return paths.cache_dir() / "images" / f"{text_digest(self.name)[:16]}.inputs"

    def _text(self, image_id: str | None) -> str:
        return f"{self.digest} {image_id}"


def text_digest(text: str) -> str:
    """The SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def directory_digest(directory: Path) -> str:
    """Of the names, modes and contents of all that is in it, also of what a build ignores."""
    digest = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        digest.update(f"{path.relative_to(directory)}\0{path.lstat().st_mode:o}\0".encode())
        if path.is_symlink():
            digest.update(str(path.readlink()).encode())
        elif path.is_file():
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
