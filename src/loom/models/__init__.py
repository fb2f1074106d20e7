"""Language models behind one port: a vendor's service, whatever speaks its language, and two that need no network."""
