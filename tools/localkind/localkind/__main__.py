"""`python -m localkind`: the command line."""

import sys

from localkind.cli import main

if __name__ == "__main__":
    sys.exit(main())
