"""Settings from every place that may set one, each value with the place it comes from."""
