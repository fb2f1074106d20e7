"""What a document may claim: numbers, and the runs and artifacts they have to be read from."""
