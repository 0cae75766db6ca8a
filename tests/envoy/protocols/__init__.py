"""One host, three protocols: what clients see of services behind our configuration."""
