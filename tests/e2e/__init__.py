"""Stories on a whole cluster, through pytest-kind."""
