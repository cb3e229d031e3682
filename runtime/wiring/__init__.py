"""One place that builds everything: the services over what the settings choose."""
