"""`parrotlet-edge wyoming`: the board in a home that speaks Wyoming, such as Home Assistant's."""
