"""``grpcop import``: what others wrote for a service, as a GrpcService.

- ``sources``: which kind of file it is, and who reads it
- ``knative``, ``kubernetes``, ``infera``: one reader a kind; ``pod_spec`` is for the first two
- ``fields``: a mapping that knows what of it was read, so the rest is reported
- ``report``, ``written``: what was lost or changed, by file and line; YAML with comments
- ``meaning``: what a source asks for and what its import results in, compared (``--check``)
"""
