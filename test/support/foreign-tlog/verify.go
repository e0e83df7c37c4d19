package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height = 8
	width  = 1 << height
)

// A folder is a C2SP tlog-tiles tree of files.
type folder string

func (folder) Height() int                         { return height }
func (folder) SaveTiles(_ []tlog.Tile, _ [][]byte) {}

func (dir folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		bytes, err := dir.read(tile)
		if err != nil {
			return nil, err
		}
		if len(bytes) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s: expected %d hashes, got %d bytes", tile.Path(), tile.W, len(bytes))
		}
		data[i] = bytes
	}
	return data, nil
}

// read gives a tile, or with level -1 a bundle of entries. The names are those of the checksum database without the height, and "entries" for "data".
func (dir folder) read(tile tlog.Tile) ([]byte, error) {
	name := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
	return os.ReadFile(filepath.Join(string(dir), filepath.FromSlash(strings.Replace(name, "tile/data/", "tile/entries/", 1))))
}

// entries gives the entries of bundle n of a tree: each behind its length in 16 bits.
func (dir folder) entries(n, size int64) ([][]byte, error) {
	count := min(size-n*width, width)
	bytes, err := dir.read(tlog.Tile{H: height, L: -1, N: n, W: int(count)})
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(bytes) > 0 {
		if len(bytes) < 2 || len(bytes) < 2+int(binary.BigEndian.Uint16(bytes)) {
			return nil, fmt.Errorf("bundle %d: expected whole entries, got a part of one", n)
		}
		end := 2 + int(binary.BigEndian.Uint16(bytes))
		entries = append(entries, bytes[2:end])
		bytes = bytes[end:]
	}
	if int64(len(entries)) != count {
		return nil, fmt.Errorf("bundle %d: expected %d entries, got %d", n, count, len(entries))
	}
	return entries, nil
}

type verified struct {
	Origin     string `json:"origin"`
	Size       int64  `json:"size"`
	Included   int64  `json:"included"`
	ExtendsOld int64  `json:"extendsOld"`
}

// verifyLog checks the log's signature, that each entry is in the tree that it signed, and that the tree begins with that of an older checkpoint.
func verifyLog(dir folder, log note.Verifier, older string) (verified, error) {
	read := func(file string) (checkpoint, error) {
		bytes, err := os.ReadFile(file)
		if err != nil {
			return checkpoint{}, err
		}
		return openCheckpoint(bytes, log)
	}
	head, err := read(filepath.Join(string(dir), "checkpoint"))
	if err != nil {
		return verified{}, err
	}
	old, err := read(older)
	if err != nil {
		return verified{}, err
	}
	answer := verified{Origin: log.Name(), Size: head.N, ExtendsOld: old.N}
	tiles := tlog.TileHashReader(head.Tree, dir)
	for n := int64(0); n*width < head.N; n++ {
		entries, err := dir.entries(n, head.N)
		if err != nil {
			return answer, err
		}
		for i, entry := range entries {
			index := n*width + int64(i)
			proof, err := tlog.ProveRecord(head.N, index, tiles)
			if err != nil {
				return answer, fmt.Errorf("entry %d: %w", index, err)
			}
			if err := tlog.CheckRecord(proof, head.N, head.Hash, index, tlog.RecordHash(entry)); err != nil {
				return answer, fmt.Errorf("entry %d: %w", index, err)
			}
			answer.Included++
		}
	}
	proof, err := tlog.ProveTree(head.N, old.N, tiles)
	if err != nil {
		return answer, fmt.Errorf("the tree of %d: %w", old.N, err)
	}
	if err := tlog.CheckTree(proof, head.N, head.Hash, old.N, old.Hash); err != nil {
		return answer, fmt.Errorf("the tree of %d: %w", old.N, err)
	}
	return answer, nil
}
