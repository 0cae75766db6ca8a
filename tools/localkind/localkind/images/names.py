"""The full names of images: what a short name stands for, as Docker and the kubelet read it."""


def full_name(image: str) -> str:
    """`docker.io/library/foo:latest` for `foo`; a name with a registry and a tag unchanged.

    Follows ParseDockerRef in https://github.com/distribution/reference/blob/main/normalize.go
    """
    first, slash, _ = image.partition("/")
    if not slash:
        image = f"docker.io/library/{image}"
    elif not ("." in first or ":" in first or first == "localhost"):
        image = f"docker.io/{image}"
    has_tag = ":" in image.rpartition("/")[2]
    return image if has_tag or "@" in image else f"{image}:latest"
