"""What Loom knows, in the forms people and machines read."""
