"""The Tiltfile, evaluated by a real Starlark interpreter, and the reloader it puts into pods."""
