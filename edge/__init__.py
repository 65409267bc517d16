"""The board: hears, cuts out the speech, makes features, asks the service, shows the answer."""
