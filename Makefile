PY := .venv/bin/python

.PHONY: check format types imports deps unused test
check: format types imports deps  ## everything that needs no server and no test run
format:
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
types:
	.venv/bin/mypy
imports:
	PYTHONPATH=. .venv/bin/lint-imports
deps:
	.venv/bin/deptry .
test:
	./juanku test
