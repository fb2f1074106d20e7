"""One use case per file; the only floor on which the parts are put together."""
