"""The reference gRPC service: a directory of users over SQLite or PostgreSQL."""
