"""What `make ship` runs beside its pages: proofs, and the table of routes."""
