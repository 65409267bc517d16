"""Makes the files that the code reads: data in, tables and models out."""
