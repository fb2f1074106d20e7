"""A fitted model on its own: checked rows in, predictions out, and a folder that needs nothing of where it was made."""
