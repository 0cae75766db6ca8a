"""The reconcile engine: copy of the cluster, queue of keys, workers, periodic comparison."""
