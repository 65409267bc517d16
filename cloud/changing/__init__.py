"""Changing what serves: a candidate is heard in the shadow, answers a share of devices, is promoted or returned."""
