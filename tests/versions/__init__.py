"""What other versions do: measured by `make versions`, recorded, and shown on pages."""
