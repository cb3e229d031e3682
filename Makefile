.PHONY: check test
check:  ## lint, format, types, imports, dependencies, translations: everything fast
	./juanku check
test:   ## the tests
	./juanku test
