"""Language-neutral cases, and programs that answer them."""
