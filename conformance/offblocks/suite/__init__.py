"""The scenarios of OffBlocks, one file for each topic of the rules."""
