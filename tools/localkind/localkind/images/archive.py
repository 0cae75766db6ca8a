"""OCI image archives: written for a single static program, and read to see what is inside.

Formats: https://github.com/opencontainers/image-spec (image-layout.md, config.md, manifest.md) and
`docker save`'s manifest.json.
"""

import hashlib
import io
import json
import platform
import tarfile
from pathlib import Path
from typing import IO, Any

from localkind.errors import LocalKindError

_OCI = "application/vnd.oci.image"
_NAME_ANNOTATION = "io.containerd.image.name"
_REF_ANNOTATION = "org.opencontainers.image.ref.name"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def architecture() -> str:
    """This machine's architecture, as Go and OCI name it."""
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)


def write_program_image(program: Path, name: str, target: Path) -> None:
    """Write an image that holds one static program, as its entrypoint, and nothing else.

    The same program and name always give the same bytes.
    """
    layer = _layer(program, program_name(name))
    layer_digest = _digest(layer)
    config = _json(
        {
            "architecture": architecture(),
            "os": "linux",
            "config": {"Entrypoint": [f"/{program_name(name)}"], "User": "65532:65532"},
            "rootfs": {"type": "layers", "diff_ids": [layer_digest]},
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": f"{_OCI}.manifest.v1+json",
            "config": _descriptor(f"{_OCI}.config.v1+json", config),
            "layers": [_descriptor(f"{_OCI}.layer.v1.tar", layer)],
        }
    )
    with tarfile.open(target, "w") as archive:
        for blob in (layer, config):
            _add(archive, _blob(_digest(blob)), blob)
        _add_index(archive, manifest, name)


def write_directory_image(directory: Path, name: str, target: Path) -> None:
    """Write the image in a directory of the `dir:` transport (containers-transports(5))."""
    manifest = (directory / "manifest.json").read_bytes()
    content = json.loads(manifest)
    with tarfile.open(target, "w") as archive:
        for digest in {entry["digest"] for entry in (content["config"], *content["layers"])}:
            archive.add(directory / digest.partition(":")[2], _blob(digest))
        _add_index(archive, manifest, name)


def program_name(image: str) -> str:
    """`coredns` of `localhost/coredns:1.14.7`."""
    return image.rpartition("/")[2].partition(":")[0]


def image_ids(archive: Path) -> dict[str, str]:
    """The images in an archive of `docker save` or of OCI: name -> digest of the configuration.

    That digest is what Docker, buildah and the CRI call the image's ID.

    Raises:
        LocalKindError: the file is not such an archive.
    """
    try:
        with tarfile.open(archive, "r:*") as tar:
            names = set(tar.getnames())
            if "index.json" in names:
                return _oci_ids(tar)
            if "manifest.json" in names:
                return _docker_ids(tar)
    except (tarfile.TarError, KeyError, ValueError) as error:
        raise LocalKindError(f"{archive} is not an image archive: {error}") from error
    raise LocalKindError(f"{archive} is not an image archive: no index.json or manifest.json")


def _oci_ids(tar: tarfile.TarFile) -> dict[str, str]:
    found = {}
    for entry in _read(tar, "index.json")["manifests"]:
        annotations = entry.get("annotations", {})
        name = annotations.get(_NAME_ANNOTATION) or annotations.get(_REF_ANNOTATION, "")
        content = _read(tar, _blob(entry["digest"]))
        if "config" in content:  # An index of several platforms has none.
            found[name] = content["config"]["digest"]
    return found


def _docker_ids(tar: tarfile.TarFile) -> dict[str, str]:
    found = {}
    for entry in _read(tar, "manifest.json"):
        digest = Path(entry["Config"]).name.removesuffix(".json")
        found.update(dict.fromkeys(entry["RepoTags"] or [], f"sha256:{digest}"))
    return found


def _read(tar: tarfile.TarFile, name: str) -> Any:
    file: IO[bytes] | None = tar.extractfile(name)
    if file is None:
        raise ValueError(f"{name} is not a file")
    return json.load(file)


def _add_index(archive: tarfile.TarFile, manifest: bytes, name: str) -> None:
    """What makes an OCI image layout of the blobs: the manifest, and the index that names it."""
    _add(archive, _blob(_digest(manifest)), manifest)
    entry = _descriptor(f"{_OCI}.manifest.v1+json", manifest)
    index = {"schemaVersion": 2, "manifests": [{**entry, "annotations": {_NAME_ANNOTATION: name}}]}
    _add(archive, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
    _add(archive, "index.json", _json(index))


def _blob(digest: str) -> str:
    return f"blobs/sha256/{digest.partition(':')[2]}"


def _layer(program: Path, name: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        _add(tar, name, program.read_bytes(), mode=0o755)
    return buffer.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))


def _descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": _digest(content), "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
