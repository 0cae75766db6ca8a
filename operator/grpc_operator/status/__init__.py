"""Pure: observed state to conditions and Events."""
