"""Whether a phase's result holds, as far as a machine can decide it: no model is asked here."""
