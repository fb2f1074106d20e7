"""The mathematics: frames in, frozen results out; it knows columns, and never a phase, a tool or a terminal."""
