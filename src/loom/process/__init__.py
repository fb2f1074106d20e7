"""A process package: read, checked, resolved and planned. Nothing here runs anything."""
