"""What changed between two descriptions, two results, two sets of recordings, or a document and its statements."""
