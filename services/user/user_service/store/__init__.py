"""How users are stored: `users.py` says what the service asks for, the other files how it is done.

Nothing outside this package knows of SQL.
"""

from user_service.store.migrations import SCHEMA
from user_service.store.users import Page, UserStore

__all__ = ["SCHEMA", "Page", "UserStore"]
