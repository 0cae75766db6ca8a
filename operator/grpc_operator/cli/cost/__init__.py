"""What a service costs a month on Cloud Run, on ECS Fargate, and in a Kubernetes cluster.

Pure: from usage and prices to amounts. Prices are in ``prices.yaml``, never asked for.

- ``usage``: what is used a month, and the three cases
- ``cloud_run``, ``fargate``, ``kubernetes``: the items of each platform
- ``prices``: the file, and what overrides it; ``estimate``: all of it; ``command``: what is printed
"""
