"""The command line: options in, words out. What there is to do is elsewhere."""
