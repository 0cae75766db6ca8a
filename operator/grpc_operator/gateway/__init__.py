"""GrpcGateways, GrpcServices and their descriptors -> Envoy's configuration.

Pure, in three steps: ``attach`` returns what one GrpcService requests (or what is wrong with it),
``merge`` decides conflicts, ``envoy`` makes Envoy's messages. ``ir`` and ``snapshot`` are the
values between them. A feature has the same name here, where the API is read, and in ``envoy``:
``cors``, ``method_policy``, ``endpoints``, ``listeners``, and ``rest``, whose messages are
``rest_routes``, ``rest_scope`` and ``transcoder``.
"""
