"""How words sound: phones of the dictionary, of a domain's own lexicon and of spelling, and how far apart they are."""
