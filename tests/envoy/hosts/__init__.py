"""Two namespaces at one gateway: which of them answers on whose host."""
