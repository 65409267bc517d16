"""`parrotlet-edge test`."""
