"""Measurements that anyone can run: `scripts/bench NAME --data DIR`. Each prints its figures as a table."""
