"""The scenarios of Planbok, one file for each topic of the rules."""
