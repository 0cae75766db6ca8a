"""Server interceptors, one file each; `server.py` puts them in order."""
