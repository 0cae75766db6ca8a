"""Builds every image of the repository with the engine of this machine."""

import argparse
import sys
import time

from images.build import EXAMPLES, IMAGES, build, provider


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m images", description=__doc__)
    parser.add_argument("--no-examples", action="store_true", help="not those of examples/servers")
    wanted = IMAGES if parser.parse_args().no_examples else (*IMAGES, *EXAMPLES)
    engine = provider()
    for image in wanted:
        started = time.monotonic()
        build(image, engine)
        print(f"Image {image.tag} is up to date ({time.monotonic() - started:.0f} s)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
