"""Terraform configuration for services on Google Cloud and on AWS.

- ``syntax``: configuration as data; ``written``: the same as HCL or JSON
- ``names``: identifiers from the names of objects
- ``module``: what both targets have: files, input variables, environment variables
- ``gcp``: target ``terraform-gcp``: Cloud Run, and an internal load balancer
- ``aws``: target ``terraform-aws``: ECS on Fargate behind an Application Load Balancer
"""
