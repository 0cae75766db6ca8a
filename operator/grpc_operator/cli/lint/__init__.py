"""What is wrong, or will be, with a service: its objects, its API, its code, its running server."""
