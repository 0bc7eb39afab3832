"""What comes from outside is limited: how long an answer may be and take, and what a URL of a server may be."""
