"""The sentence of each mistake, one module for each thing that can be explained; braces hold names of facts."""
