"""Recordings and labels as others lay them out, told as a manifest."""
