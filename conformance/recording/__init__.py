"""Every exchange of a test: kept, without secrets, written to a cassette, played again."""
