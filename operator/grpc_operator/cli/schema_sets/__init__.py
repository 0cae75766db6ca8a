"""``descriptor``: sets of clusters, servers and files; pruned, compared and written."""
