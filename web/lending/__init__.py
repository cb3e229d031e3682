"""Pages of loans: borrowing, deciding, the counter, the register, the house's rules."""
