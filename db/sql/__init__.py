"""SQL itself: engines, prepared statements, types, constraints, pages, and what it is to belong to an account."""
