"""The conformance suites of gRPC's peers, with our gateway between their clients and servers."""
