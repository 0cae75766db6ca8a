"""One file a command: arguments, help, and a call of what does the work.

They import only typer and ``options``, so that ``--help`` of every command is fast; what does the
work is imported when the command runs. A command returns its exit code, ``None`` for success.
"""
