"""Measure this server beside another one, in one run."""
