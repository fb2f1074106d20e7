"""The four families of configuration: workers, pipelines, orchestrators and router rules."""
