"""How products are stored: `products.py` says what the service asks for, the other files how.

Nothing outside this package knows of SQL.
"""

from product_service.store.migrations import SCHEMA
from product_service.store.products import Page, ProductStore

__all__ = ["SCHEMA", "Page", "ProductStore"]
