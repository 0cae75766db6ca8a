"""GrpcServices for other platforms.

- ``workload``: what a GrpcService runs, with the operator's defaults, for platforms other than
  Kubernetes
- ``losses``: what a target cannot do, field by field
- ``targets``: the registry; each target is a module with ``COVERAGE``, ``OPTIONS`` and ``export``
- ``written``: files and losses, as they are printed or put into a folder
"""
