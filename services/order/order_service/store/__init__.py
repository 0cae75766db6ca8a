"""How orders are stored: `orders.py` says what the service asks for, the other files how.

Nothing outside this package knows of SQL.
"""

from order_service.store.migrations import SCHEMA
from order_service.store.orders import OrderStore, Page

__all__ = ["SCHEMA", "OrderStore", "Page"]
