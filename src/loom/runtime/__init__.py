"""A phase's life as a pure machine, and the driver, journal and approvals around it."""
