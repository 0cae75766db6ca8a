// Load and an upstream, both cheap enough that what is between them is what is busy.
//
//	traffic load      < PLAN
//	traffic upstream  < PLAN
//
// The plan is one JSON object; processes.py writes it, and reads what is printed.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	run := map[string]func(*json.Decoder) error{"load": load, "upstream": upstream}[os.Args[1]]
	if err := run(json.NewDecoder(os.Stdin)); err != nil {
		fmt.Fprintln(os.Stderr, os.Args[1]+":", err)
		os.Exit(1)
	}
}
