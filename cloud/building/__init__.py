"""A domain's folder, and what is built from it: the network of its sentences, pronunciations, the bundle."""
