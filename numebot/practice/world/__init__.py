"""What the practice server knows and keeps: rounds, account, uploads, submissions and their results."""
