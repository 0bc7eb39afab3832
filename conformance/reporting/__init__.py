"""Consumers of the results of a run: the console, a web page, JUnit's form, and files."""
