"""This server beside its peers, in one run."""
