"""grpc-operator: one GrpcService object becomes a probed, balanced and drained gRPC service."""
