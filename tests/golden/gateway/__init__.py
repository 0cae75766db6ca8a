"""Golden cases of ``grpc_operator.gateway``: objects in, Envoy's configuration out."""
