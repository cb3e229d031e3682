"""Pages of the house itself: people, organisation, levels, fonds, schemes, places, number rules, subjects, system."""
