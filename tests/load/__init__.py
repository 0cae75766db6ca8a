"""A bounded load generator that counts every failed call and every lost stream message.

    python -m tests.load PLAN.json      calls what the plan says; the result is JSON on stdout
    python -m tests.load.echo_server    a server to call, for delays and numbered streams

Clients never retry. The modules run in the images of this repository as well, mounted there.
"""
