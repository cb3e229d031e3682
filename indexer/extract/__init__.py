"""From bytes to pages of text: one module per kind of file, run inside the sandbox's forks.

``answer`` holds what both sides of the sandbox speak of; it and ``dates`` import no parser.
"""
