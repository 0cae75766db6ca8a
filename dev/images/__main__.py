"""Builds every image of the repository with the engine of this machine."""

import sys
import time

from images.build import EXAMPLES, IMAGES, build, provider


def main() -> int:
    """Returns the exit code."""
    engine = provider()
    for image in (*IMAGES, *EXAMPLES):
        started = time.monotonic()
        build(image, engine)
        print(f"Image {image.tag} is up to date ({time.monotonic() - started:.0f} s)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
