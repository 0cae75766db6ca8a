"""The library with which proxies check requests, in C; and the program that compiles it."""
