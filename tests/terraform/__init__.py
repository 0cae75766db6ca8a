"""Terraform configuration, validated by OpenTofu against the schemas of the providers."""
