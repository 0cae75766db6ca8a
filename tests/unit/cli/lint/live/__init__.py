"""``grpcop lint --server``: small servers with one mistake each."""
