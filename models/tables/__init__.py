"""The tables and small networks that the code itself carries, made from recordings."""
