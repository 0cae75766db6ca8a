"""``spec.podTemplate``: what it may hold, and how it is merged into the pod template."""
