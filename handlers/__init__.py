"""Handlers: a package for each contract, a module for each tag, a function for each operation."""
