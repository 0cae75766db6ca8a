"""``grpcop check``: what is wrong with a cluster, before and after the installation.

- ``model``: checks, what they find, and what they know of the cluster
- ``engine``: all checks at the same time, each with a time limit of its own
- ``api_server``, ``installation``, ``crds``, ``rights``, ``gateways``, ``service``, ``pods``,
  ``calls``, ``before``: the checks
- ``run``, ``show``: which of them, and what is printed
"""
