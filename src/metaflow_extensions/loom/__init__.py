"""What Loom adds to Metaflow: a step decorator that starts tasks warm, and a type of card."""
