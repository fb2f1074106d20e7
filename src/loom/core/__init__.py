"""Messages, contracts and files: the words every part of the runtime shares."""
