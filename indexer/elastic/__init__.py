"""Elasticsearch as the search engine of a house."""
