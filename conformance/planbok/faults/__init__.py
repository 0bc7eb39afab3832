"""Wrong and permitted other behaviours of the sandbox of Planbok, one module for each topic of the rules."""
