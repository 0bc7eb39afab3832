"""Programs for those who work on the suite; none of them ships."""
