"""Container images: the archives of static programs, the build store, and a node's images."""
