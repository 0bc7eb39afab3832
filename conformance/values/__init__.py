"""The values that tests send: wrong ones that are nearly right, and right ones that servers often alter."""
