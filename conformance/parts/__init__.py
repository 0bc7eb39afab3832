"""What the packages of all APIs are built from; an API keeps only what is special to it."""
