"""What pages and commands ask of the database: one file per kind of question, each answered within 50 ms."""
