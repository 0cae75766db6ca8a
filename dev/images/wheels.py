"""Downloads the wheels of every image: run with ``python -m images.wheels``.

For builds by other programs, such as Tilt's; ``python -m images`` includes it.
"""

import sys
import time

from images.build import IMAGES, download_wheels


def main() -> int:
    """Returns the exit code."""
    for image in IMAGES:
        started = time.monotonic()
        download_wheels(image)
        print(f"{image.home}/wheels is complete ({time.monotonic() - started:.0f} s)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
