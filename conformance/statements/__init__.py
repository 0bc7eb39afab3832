"""The statements of an API's documents: how a document is split into them, and the table of what each of them says."""
