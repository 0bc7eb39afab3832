"""A receiver of webhooks, judged by its answers to right events, in every form that is allowed, and to forged ones."""
