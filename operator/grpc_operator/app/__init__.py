"""The process: watches (the only importer of kopf), HTTP endpoints, wiring."""
