// Command actionlint checks GitHub workflows: https://github.com/rhysd/actionlint as a module whose
// version and hashes go.mod and go.sum hold.
package main

import (
	"os"

	"github.com/rhysd/actionlint"
)

func main() {
	command := actionlint.Command{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	os.Exit(command.Main(os.Args))
}
