"""The API's description in OpenAPI 3.1, made from the types and bounds that parse and answer."""

from longplay.http.openapi.document import openapi

__all__ = ["openapi"]
