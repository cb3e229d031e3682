"""Moving a whole house to another place."""
