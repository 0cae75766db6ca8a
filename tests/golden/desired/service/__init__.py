"""Golden cases of ``grpc_operator.desired``: a GrpcService in, every object out."""
