"""Compiles a plan to a Metaflow flow and runs it. Metaflow is known here and in dataio, nowhere else."""
