"""PostgreSQL as Django knows it, but that a kept connection is tried without asking the server (base)."""
