"""The OpenAPI document of the whole API and the table of its routes, both made from the code."""
