"""A cluster that survives: PostgreSQL under Patroni, poolers and servers are killed and replaced while clients write."""
