"""Tools: what a phase can call, described by a schema and bounded in time and size."""
