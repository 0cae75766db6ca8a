"""``grpcop call`` against a server in this process."""
