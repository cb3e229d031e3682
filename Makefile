.PHONY: help check test demo
help:   ## what there is
	@grep -E '^[a-z]+: ' $(MAKEFILE_LIST)
check:  ## lint, format, types, imports, dependencies: everything fast
	./juanku check
test:   ## the tests
	./juanku test
demo:   ## a filled archive at http://127.0.0.1:8000
	./juanku demo
