package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// settings come from the environment; the operator sets GRPC_DRAIN_SECONDS.
type settings struct {
	port     int
	token    string
	drain    time.Duration // From SIGTERM to the end.
	lameDuck time.Duration // Its first part: NOT_SERVING, and calls are still taken.
}

// readSettings returns an error that names every variable with a wrong value.
func readSettings(getenv func(string) string) (settings, error) {
	var problems []error
	number := func(name string, unset, most int) int {
		text := getenv(name)
		if text == "" {
			return unset
		}
		value, err := strconv.Atoi(text)
		if err != nil || value < 0 || value > most {
			problems = append(problems, fmt.Errorf("%s: %q is not a whole number from 0 to %d", name, text, most))
		}
		return value
	}
	made := settings{
		port:     number("PORT", 50051, 65535),
		token:    getenv("AUTH_TOKEN"),
		drain:    time.Duration(number("GRPC_DRAIN_SECONDS", 30, 86400)) * time.Second,
		lameDuck: time.Duration(number("LAME_DUCK_SECONDS", 5, 86400)) * time.Second,
	}
	made.lameDuck = min(made.lameDuck, made.drain/2)
	return made, errors.Join(problems...)
}
