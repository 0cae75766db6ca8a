"""The ten common mistakes, as far as a running server shows them; one module a check.

A check calls nothing that could change data: health, reflection, and methods that read. What a
check needs besides the address is an option, and without it the check is listed as not made.

- ``target``: what to check, and how; ``server``: calls of it
- ``run``: all checks, each with a time limit of its own
"""
