"""Wrong and permitted other behaviours of the sandbox of OffBlocks, one module for each topic of the rules."""
