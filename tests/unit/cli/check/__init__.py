"""``grpcop check`` against clusters with one thing broken in each."""
