"""Tests of ``grpc_operator.kube``."""
