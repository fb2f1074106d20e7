"""Running what is not trusted, as closed in as the machine allows."""
