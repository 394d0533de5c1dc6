"""Make a lab instance's machines exist: one contract, several ways."""
