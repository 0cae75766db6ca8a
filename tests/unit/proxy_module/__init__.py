"""The library of the proxies."""
