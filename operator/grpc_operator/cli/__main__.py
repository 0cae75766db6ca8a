"""Entry point of ``grpcop`` and ``kubectl grpc``."""

import sys

from grpc_operator.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
