"""Taking over what people have already: pickles, the original numebot, nodes of numerai-cli."""
