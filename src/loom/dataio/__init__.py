"""The one data door: sources in, data objects out, nothing else reads either."""
