"""Building images with buildah, into a store of our own that nothing else uses.

Builds reach no network: what a Dockerfile needs must be in its context. The base image,
`localhost/python-base:3.11`, is made from this machine's Debian packages (see base.py).
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from localkind import cgroups, paths
from localkind.commands import run
from localkind.errors import CommandError, LocalKindError
from localkind.images import base
from localkind.images.archive import write_directory_image
from localkind.images.dockerfile import with_mount_digests
from localkind.images.inputs import Inputs, directory_digest, text_digest
from localkind.images.names import full_name
from localkind.locks import locked
from localkind.processes import find
from localkind.progress import Progress
from localkind.toolchain import IMAGE_PROGRAMS, NETWORK_PROGRAMS, ensure_programs

_BASE_ARGUMENT = "PYTHON_IMAGE"
_RECIPE_LABEL = "localkind.recipe"
_CGROUP = "localkind-build"
"""Above the cgroups of RUN instructions."""

_PREFIX = f"buildah-{os.getpid()}-"
"""Of run directories; identifies those of a localkind that was killed."""


@dataclass(frozen=True)
class Build:
    """One `build image`: a Dockerfile, its context, and the name of the result."""

    context: Path
    file: Path
    tag: str
    build_args: list[str]


def build(request: Build, progress: Progress) -> str:
    """Build an image and return its full name.

    Raises:
        LocalKindError: an argument is wrong, or the build fails.
    """
    _check(request)
    ensure_programs({**NETWORK_PROGRAMS, **IMAGE_PROGRAMS}, progress)
    name = full_name(request.tag)
    arguments = list(request.build_args)
    inputs = Inputs(name, _inputs(request))
    # buildah compares every file of every layer to find the same out.
    if inputs.made(image_id(name)):
        progress.info(f'Image "{name}" is made of the same files already')
        return name
    with _exclusive(progress):
        if _uses_base(request):
            _ensure_base(progress)
            arguments.append(f"{_BASE_ARGUMENT}={base.TAG}")
        with progress.step(f'Building image "{name}"'):
            words = [word for argument in arguments for word in ("--build-arg", argument)]
            with tempfile.NamedTemporaryFile("w", suffix=".Dockerfile") as file:
                file.write(with_mount_digests(request.file.read_text(), request.context))
                file.flush()
                _buildah_build("--file", file.name, *words, "--tag", name, request.context)
    inputs.save(image_id(name))
    return name


def image_id(name: str) -> str | None:
    """The ID of an image in the store, by its full name."""
    try:
        text = _buildah("images", "--no-trunc", "--quiet", name)
    except CommandError:
        return None
    return text.split()[0] if text.strip() else None


def save(name: str, archive: Path) -> None:
    """Write an image to an OCI archive; uncompressed, for it only goes to a node on this disk.

    By way of a directory, as buildah 1.28 compresses the layers of an `oci-archive` regardless.
    """
    with tempfile.TemporaryDirectory(dir=archive.parent) as directory:
        _buildah("push", "--quiet", "--disable-compression", name, f"dir:{directory}")
        write_directory_image(Path(directory), name, archive)


def _check(request: Build) -> None:
    if not request.context.is_dir():
        raise LocalKindError(f"build context {request.context} is not a directory")
    if not request.file.is_file():
        raise LocalKindError(f"Dockerfile {request.file} does not exist (see --file)")
    for argument in request.build_args:
        if "=" not in argument:
            raise LocalKindError(f'--build-arg "{argument}" must be KEY=VALUE')


def _uses_base(request: Build) -> bool:
    given = any(a.startswith(f"{_BASE_ARGUMENT}=") for a in request.build_args)
    return not given and _BASE_ARGUMENT in request.file.read_text()


def _inputs(request: Build) -> str:
    """Changes whenever the image would, as builds reach nothing else."""
    recipe = base.recipe() if _uses_base(request) else ""
    text = "\0".join((request.file.read_text(), *request.build_args, recipe))
    return text_digest(f"{text}\0{directory_digest(request.context)}")


def _ensure_base(progress: Progress) -> None:
    recipe = text_digest(base.recipe())
    wanted = f'{{{{index .OCIv1.Config.Labels "{_RECIPE_LABEL}"}}}}'
    if image_id(base.TAG) is not None:
        present = _buildah("inspect", "--type", "image", "--format", wanted, base.TAG).strip()
        if present == recipe:
            return
    with (
        progress.step(f"Building base image {base.TAG} (once, about 15 seconds)"),
        tempfile.TemporaryDirectory(prefix="base-", dir=paths.cache_dir()) as directory,
    ):
        context = Path(directory)
        base.make_root(context / base.ROOT_ARCHIVE)
        file = base.DOCKERFILE
        label = f"{_RECIPE_LABEL}={recipe}"
        _buildah_build("--file", file, "--label", label, "--tag", base.TAG, context)


def _buildah_build(*words: str | Path) -> None:
    options = ("--layers", "--isolation=oci", "--network=none", "--pull-never", "--timestamp=0")
    _buildah("build", *options, *words)


def _buildah(*words: str | Path) -> str:
    """Run buildah in mount and pid namespaces of its own, with a run directory of its own.

    Whatever it starts and mounts is gone when it ends, also when it is killed.
    """
    root = paths.cache_dir() / "containers"
    root.mkdir(parents=True, exist_ok=True)
    paths.RUN_ROOT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=paths.RUN_ROOT) as run_root:
        # containers.conf(5); else it makes /etc/cni on this machine, though builds have no network.
        settings = Path(run_root) / "containers.conf"
        settings.write_text(f'[network]\nnetwork_config_dir = "{run_root}/cni"\n')
        private = ["unshare", "--mount", "--propagation=private"]
        private += ["--pid", "--fork", "--kill-child", "--mount-proc"]
        storage = [f"--root={root}", f"--runroot={run_root}", "--storage-driver=overlay"]
        if words[0] == "build":
            places = (f"--runtime-flag=root={run_root}/runc", f"--cgroup-parent=/{_CGROUP}")
            words = ("build", *places, *words[1:])
        return run(
            [*private, "buildah", *storage, *words],
            env={"TMPDIR": run_root, "CONTAINERS_CONF": str(settings)},
        )


@contextmanager
def _exclusive(progress: Progress) -> Iterator[None]:
    """One build at a time, which may remove what a build that was killed has left."""
    with locked(paths.cache_dir() / "containers.lock", progress, "the image store"):
        for directory in paths.RUN_ROOT.glob("buildah-*"):
            if find(int(directory.name.split("-")[1])) is None:
                shutil.rmtree(directory)
        cgroups.remove(_CGROUP)
        _buildah("rm", "--all")
        try:
            yield
        finally:
            cgroups.remove(_CGROUP)
