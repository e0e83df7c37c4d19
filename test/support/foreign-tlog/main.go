// foreign-tlog reads a log and witnesses it with nothing of Sealane's: note, tree and tiles are those of Go's checksum database.
//
//	foreign-tlog verify LOG-DIR VKEY-FILE OLDER-CHECKPOINT
//	foreign-tlog witness NAME VKEY-FILE
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(words []string) error {
	switch {
	case len(words) == 4 && words[0] == "verify":
		log, err := readVerifier(words[2])
		if err != nil {
			return err
		}
		answer, err := verifyLog(folder(words[1]), log, words[3])
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(answer)
	case len(words) == 3 && words[0] == "witness":
		return serveWitness(words[1], words[2])
	default:
		return fmt.Errorf("expected verify LOG-DIR VKEY-FILE OLDER-CHECKPOINT or witness NAME VKEY-FILE, got %q", words)
	}
}
