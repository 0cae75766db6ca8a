"""The command line: kind's commands and options, and the few that only localkind has."""

import signal
import sys
from collections.abc import Sequence
from types import FrameType

from localkind.cli.commands import COMMANDS
from localkind.cli.parser import build_parser
from localkind.errors import CommandError, LocalKindError
from localkind.progress import Progress

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 1 for every error, as kind's is.

    Args:
        arguments: the words after the program's name; those of this process by default.
    """
    signal.signal(signal.SIGTERM, _terminate)
    progress = Progress()
    try:
        options = build_parser().parse_args(arguments)
        progress = Progress(quiet=options.quiet)
        COMMANDS[options.command](options, progress)
    except LocalKindError as error:
        progress.info(f"ERROR: {error}")
        if isinstance(error, CommandError) and error.output:
            progress.info(f"\nCommand Output: {error.output}")
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # The reader of the output has ended.
        return 1
    return 0


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
