"""home-v1: the commands of the home domain, from machines' voices; what is drawn and how it is judged."""
