"""Benchmarks: every figure is a ratio to something bare, measured in the same run (`make bench`)."""
