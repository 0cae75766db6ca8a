"""The user service answers as every user service does: the suite in `user_contract`."""

from user_contract.flow import *  # noqa: F403
from user_contract.repeats import *  # noqa: F403
from user_contract.streaming import *  # noqa: F403
from user_contract.unary import *  # noqa: F403
