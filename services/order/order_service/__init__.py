"""The order service: orders of users for products, over gRPC. Begin with `domain.py`."""
