package main

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A checkpoint is a tree of a log, and the text that its key signed (C2SP tlog-checkpoint).
type checkpoint struct {
	tlog.Tree
	text string
}

// openCheckpoint verifies the log's signature over exact bytes, then reads what it signed. Lines of other keys are passed over.
func openCheckpoint(bytes []byte, log note.Verifier) (checkpoint, error) {
	opened, err := note.Open(bytes, note.VerifierList(log))
	if err != nil {
		return checkpoint{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != log.Name() {
		return checkpoint{}, fmt.Errorf("checkpoint: expected the log %s, a size and a root, got %q", log.Name(), opened.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return checkpoint{}, fmt.Errorf("checkpoint: expected a size in decimal, got %q", lines[1])
	}
	root, err := hashOf(lines[2])
	if err != nil {
		return checkpoint{}, fmt.Errorf("checkpoint: %w", err)
	}
	return checkpoint{tlog.Tree{N: size, Hash: root}, opened.Text}, nil
}

// readVerifier reads the verifier key of a log from a file.
func readVerifier(file string) (note.Verifier, error) {
	bytes, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return note.NewVerifier(strings.TrimSpace(string(bytes)))
}

func hashOf(text string) (hash tlog.Hash, err error) {
	bytes, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(bytes) != sha256.Size {
		return hash, fmt.Errorf("expected a hash of 32 bytes in base64, got %q", text)
	}
	copy(hash[:], bytes)
	return hash, nil
}
