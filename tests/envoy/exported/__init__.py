"""The configuration that ``grpcop export --to envoy`` writes, without a control plane."""
