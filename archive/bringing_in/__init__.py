"""Many at once from outside: spreadsheets with their files, folders, imports that go on after a break."""
