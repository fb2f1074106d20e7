"""The generated files, one module each: a function from the repository to the text of its file."""
