"""What the suite's runner starts as server or client under test: two pipes to the tests.

``python pipe.py MODE SOCKET`` joins standard input and output with a Unix socket. It imports
nothing of the project, so that it starts at once, however busy the machine is. A server under test
goes on after the end of its input, until it is terminated.
"""

import os
import socket
import sys
import threading

_MOST = 65536


def main() -> None:
    """Copies both ways until the tests have closed their side."""
    tests = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mode, path = sys.argv[1:]
    tests.connect(path)

    def send() -> None:
        while data := os.read(0, _MOST):
            tests.sendall(data)
        if mode == "client":
            tests.shutdown(socket.SHUT_WR)

    threading.Thread(target=send, daemon=True).start()
    while data := tests.recv(_MOST):
        os.write(1, data)
    os._exit(0)  # also when nothing more is written to this program


if __name__ == "__main__":
    main()
