"""The command line: parse words, call one use-case, print what it returns."""
