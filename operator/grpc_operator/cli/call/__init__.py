"""``grpcop call``: one method of a service, by any protocol that can carry it.

- ``options``, ``metadata``: what the user asks for
- ``reach``, ``tls``: a plain local port that leads to the gateway, to a pod, or to an address
- ``sources``, ``schema``: the descriptor, and messages as JSON
- ``json_values``, ``requests``: one JSON value after another, as they come
- ``grpc``, ``grpc_web``, ``rest``: the call; each yields ``parts``
- ``errors``: the status of a failed call with its details
- ``printed``, ``listed``: the same call as a command, and the methods
- ``run``: all of it
"""
