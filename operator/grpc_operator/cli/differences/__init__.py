"""``diff``: what a change of a GrpcService changes in the objects that the operator applies."""
