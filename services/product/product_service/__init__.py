"""The product service: a catalogue with stock that can be reserved."""
