"""Servers and files that mean harm, and what the commands make of them."""
