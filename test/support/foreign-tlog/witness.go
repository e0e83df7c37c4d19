package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Type of a cosignature key, and the longest request (C2SP tlog-cosignature, tlog-witness).
const (
	cosignatureV1   = 4
	maxRequestBytes = 64 << 10
)

// A witness cosigns the checkpoints of one log, each of which extends the one before. It keeps its state in memory: it lives as long as a test.
type witness struct {
	mutex   sync.Mutex
	name    string
	key     ed25519.PrivateKey
	logFile string
	seen    checkpoint
}

// serveWitness says {url, vkey} on stdout and serves. The key of the log is read at each request: the log may be made later.
func serveWitness(name, logFile string) error {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	w := &witness{name: name, key: key, logFile: logFile}
	public := append([]byte{cosignatureV1}, key.Public().(ed25519.PublicKey)...)
	vkey := fmt.Sprintf("%s+%08x+%s", name, w.keyHash(), base64.StdEncoding.EncodeToString(public))
	if err := json.NewEncoder(os.Stdout).Encode(map[string]string{"url": "http://" + listener.Addr().String(), "vkey": vkey}); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", w.addCheckpoint)
	return http.Serve(listener, mux)
}

func (w *witness) keyHash() uint32 {
	public := append([]byte{cosignatureV1}, w.key.Public().(ed25519.PublicKey)...)
	sum := sha256.Sum256(append([]byte(w.name+"\n"), public...))
	return binary.BigEndian.Uint32(sum[:])
}

func (w *witness) addCheckpoint(response http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(response, request.Body, maxRequestBytes))
	if err != nil {
		http.Error(response, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	status, answer := w.judge(body)
	if status == http.StatusConflict {
		response.Header().Set("content-type", "text/x.tlog.size")
	}
	response.WriteHeader(status)
	fmt.Fprintln(response, answer)
}

// judge follows the order of C2SP tlog-witness.
func (w *witness) judge(body []byte) (int, string) {
	head, signed, found := bytes.Cut(body, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	size, isOld := strings.CutPrefix(lines[0], "old ")
	old, err := strconv.ParseInt(size, 10, 64)
	if !found || !isOld || err != nil || old < 0 {
		return http.StatusBadRequest, "malformed request"
	}
	var proof tlog.TreeProof
	for _, line := range lines[1:] {
		hash, err := hashOf(line)
		if err != nil {
			return http.StatusBadRequest, err.Error()
		}
		proof = append(proof, hash)
	}
	log, err := readVerifier(w.logFile)
	if err != nil {
		return http.StatusNotFound, err.Error()
	}
	next, err := openCheckpoint(signed, log)
	if err != nil {
		return http.StatusForbidden, err.Error()
	}
	if old > next.N {
		return http.StatusBadRequest, "the old size is beyond the checkpoint"
	}
	if old != w.seen.N {
		return http.StatusConflict, strconv.FormatInt(w.seen.N, 10)
	}
	if old > 0 {
		if err := tlog.CheckTree(proof, next.N, next.Hash, old, w.seen.Hash); err != nil {
			return http.StatusUnprocessableEntity, err.Error()
		}
	}
	w.seen = next
	return http.StatusOK, w.cosign(next.text)
}

// cosign gives the signature line of a checkpoint's text (C2SP tlog-cosignature).
func (w *witness) cosign(text string) string {
	now := time.Now().Unix()
	signature := ed25519.Sign(w.key, fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", now, text))
	line := binary.BigEndian.AppendUint32(nil, w.keyHash())
	line = append(binary.BigEndian.AppendUint64(line, uint64(now)), signature...)
	return fmt.Sprintf("— %s %s", w.name, base64.StdEncoding.EncodeToString(line))
}
