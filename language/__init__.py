"""The language that all contracts share: JSON, formats, instants, white space, and words for bad input. No HTTP."""
