"""What all models share: engine, prepared statements, column types, constraints, pages, ownership by an account."""
