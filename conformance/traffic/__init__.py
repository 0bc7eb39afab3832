"""The traffic of foreign clients with any server: read from a file or passed on by a proxy, and judged for both."""
