"""How each method of user.proto is called by REST: its google.api.http rules, and its streams."""

REST = {
    "GetUser": ("GET", "/v1/users/{id}"),
    "CreateUser": ("POST", "/v1/users"),
    "UpdateUser": ("PATCH", "/v1/users/{id}"),
    "DeleteUser": ("DELETE", "/v1/users/{id}"),
    "ListUsers": ("GET", "/v1/users"),
    "BatchCreateUsers": ("POST", "/v1/users:batchCreate"),
    "SyncUsers": ("POST", "/v1/users:sync"),
}
"""Verb and path, by method."""

STREAMED_REQUESTS = ("BatchCreateUsers", "SyncUsers")
STREAMED_ANSWERS = ("ListUsers", "SyncUsers")
