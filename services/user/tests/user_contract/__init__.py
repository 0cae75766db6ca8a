"""What every user service answers, whatever language it is written in.

A suite for test modules to import (`from user_contract.unary import *`). They have a fixture
`target`: the address (`host:port`) of a server that has no users yet.
"""

import pytest

for _module in ("flow", "repeats", "streaming", "unary"):
    pytest.register_assert_rewrite(f"user_contract.{_module}")
