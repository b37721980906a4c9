"""HTTP on the loopback: the server, who may come in, and answers that can break on their way out."""
