"""The reference sandbox: a server on loopback that behaves as the documents say, with time and faults to command."""
