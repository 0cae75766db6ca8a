"""What the objects of GrpcServices and GrpcGateways share."""
