"""Golden cases of ``grpc_operator.desired.gateway``."""
