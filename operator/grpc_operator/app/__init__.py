"""The process: watches (the only importer of kopf), HTTP server, metrics, wiring."""
