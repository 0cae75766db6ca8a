"""Bearer tokens: which keys there are (`keys.py`), and whether a token is good (`tokens.py`).

PyJWT is imported only when authentication is configured.
"""
