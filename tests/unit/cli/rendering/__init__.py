"""``grpcop render``."""
