"""Commands that read a running cluster. For each of them one function reads, and pure ones make of
it what is printed.
"""
