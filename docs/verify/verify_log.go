// Command verify_log checks exported audit logs of Latchwork with nothing of Latchwork: the notes and the tree are read by
// golang.org/x/mod/sumdb, the code behind Go's own checksum database.
//
//	verify_log [-key VERIFIER-KEY] [-kept CHECKPOINT-FILE] FOLDER...
//
// Prints one line of JSON a folder and exits 0 when all are whole, else 1.
//
// On Debian, without network:
//
//	apt-get install golang-go golang-golang-x-mod-dev
//	GO111MODULE=off GOPATH=/usr/share/gocode go build -o verify_log verify_log.go
//
// Checked are: the key against the one that was named, the signature of every checkpoint, that the newest tree grew out of each of them,
// every tile up to the signed root, every entry against its leaf and by inclusion proofs, and that the events of each controller
// count without a gap and follow from each other, and that no other file lies there. That an entry is canonical JSON is NOT checked here: its bytes are what is hashed.
package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	// The leaves are proven by their tiles in any case. In longer logs an inclusion proof is made for the first entry of each bundle only.
	proofsForAll = 10_000
)

type checkpoint struct {
	origin string
	tree   tlog.Tree
}

type verdict struct {
	OK          bool   `json:"ok"`
	Folder      string `json:"folder"`
	Size        int64  `json:"size,omitempty"`
	Root        string `json:"root,omitempty"`
	Checkpoints int    `json:"checkpoints,omitempty"`
	Streams     int    `json:"streams,omitempty"`
	Text        string `json:"text,omitempty"`
}

func main() {
	key := flag.String("key", "", "the log's verifier key, as it was handed over on another way")
	kept := flag.String("kept", "", "a checkpoint of the log that was kept elsewhere")
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	code := 0
	for _, folder := range flag.Args() {
		v, err := verify(folder, *key, *kept)
		if err != nil {
			code = 1
			v = verdict{Text: err.Error()}
		}
		v.Folder = filepath.Base(folder)
		line, _ := json.Marshal(v)
		fmt.Println(string(line))
	}
	os.Exit(code)
}

func verify(folder, key, kept string) (verdict, error) {
	keys, err := readKeys(folder, key)
	if err != nil {
		return verdict{}, err
	}
	newest, err := readCheckpoint(filepath.Join(folder, "checkpoint"), keys)
	if err != nil {
		return verdict{}, err
	}
	if err := checkStatement(folder, newest); err != nil {
		return verdict{}, err
	}
	all, err := readCheckpoints(folder, keys, newest)
	if err != nil {
		return verdict{}, err
	}
	count := len(all)
	if kept != "" {
		one, err := readCheckpoint(kept, keys)
		if err != nil {
			return verdict{}, err
		}
		all = append(all, one)
	}
	reader := tlog.TileHashReader(newest.tree, tileFolder(folder))
	for _, one := range all {
		if err := checkGrowth(one, newest, reader); err != nil {
			return verdict{}, err
		}
	}
	if err := checkTiles(newest.tree.N, reader); err != nil {
		return verdict{}, err
	}
	streams, err := checkEntries(folder, newest.tree, reader)
	if err != nil {
		return verdict{}, err
	}
	if err := checkNothingElse(folder, newest.tree.N, count); err != nil {
		return verdict{}, err
	}
	root := base64.StdEncoding.EncodeToString(newest.tree.Hash[:])
	return verdict{OK: true, Size: newest.tree.N, Root: root, Checkpoints: count, Streams: streams}, nil
}

func readKeys(folder, named string) (note.Verifiers, error) {
	text, err := os.ReadFile(filepath.Join(folder, "log.vkey"))
	if err != nil {
		return nil, err
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) < 2 || lines[len(lines)-1] != "" {
		return nil, errors.New("log.vkey: not verifier keys, one a line")
	}
	var keys []note.Verifier
	for _, line := range lines[:len(lines)-1] {
		if named != "" && line != named {
			continue
		}
		verifier, err := note.NewVerifier(line)
		if err != nil {
			return nil, fmt.Errorf("log.vkey: %w", err)
		}
		keys = append(keys, verifier)
	}
	if len(keys) == 0 {
		return nil, errors.New("log.vkey: not the key that was named")
	}
	return note.VerifierList(keys...), nil
}

func readCheckpoint(path string, keys note.Verifiers) (checkpoint, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return checkpoint{}, err
	}
	bad := func(err error) (checkpoint, error) {
		return checkpoint{}, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	opened, err := note.Open(data, keys)
	if err != nil {
		return bad(err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] == "" {
		return bad(errors.New("not a checkpoint"))
	}
	if opened.Sigs[0].Name != lines[0] {
		return bad(errors.New("signed under another name than its origin"))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return bad(errors.New("malformed size"))
	}
	hash, err := tlog.ParseHash(lines[2])
	if err != nil {
		return bad(err)
	}
	return checkpoint{origin: lines[0], tree: tlog.Tree{N: size, Hash: hash}}, nil
}

func checkStatement(folder string, newest checkpoint) error {
	data, err := os.ReadFile(filepath.Join(folder, "export.json"))
	if err != nil {
		return err
	}
	const form = `{"entries":"canonical-json","format":"latchwork-log-export/1","hash":"sha256","origin":%s,"size":%d,"tileWidth":256}`
	origin, _ := json.Marshal(newest.origin)
	if string(data) != fmt.Sprintf(form, origin, newest.tree.N) {
		return errors.New("export.json: does not describe this export")
	}
	return nil
}

// readCheckpoints reads checkpoints/000 … up to the newest; their sizes rise.
func readCheckpoints(folder string, keys note.Verifiers, newest checkpoint) ([]checkpoint, error) {
	var all []checkpoint
	for last := int64(-1); last < newest.tree.N; {
		number := len(all)
		one, err := readCheckpoint(filepath.Join(folder, "checkpoints", numberPath(int64(number))), keys)
		if err != nil {
			return nil, fmt.Errorf("checkpoint %d: %w", number, err)
		}
		if one.origin != newest.origin || one.tree.N <= last || one.tree.N > newest.tree.N {
			return nil, fmt.Errorf("checkpoint %d is out of order", number)
		}
		last = one.tree.N
		all = append(all, one)
	}
	if _, err := os.Stat(filepath.Join(folder, "checkpoints", numberPath(int64(len(all))))); err == nil {
		return nil, fmt.Errorf("checkpoint %d comes after the newest", len(all))
	}
	return all, nil
}

func checkGrowth(old, newest checkpoint, reader tlog.HashReader) error {
	if old.origin != newest.origin || old.tree.N > newest.tree.N {
		return fmt.Errorf("the log had %d entries at %s; this export has %d", old.tree.N, old.origin, newest.tree.N)
	}
	if old.tree.N == 0 {
		if old.tree.Hash != sha256.Sum256(nil) {
			return errors.New("the empty tree has another root")
		}
		return nil
	}
	proof, err := tlog.ProveTree(newest.tree.N, old.tree.N, reader)
	if err != nil {
		return fmt.Errorf("consistency with size %d: %w", old.tree.N, err)
	}
	if err := tlog.CheckTree(proof, newest.tree.N, newest.tree.Hash, old.tree.N, old.tree.Hash); err != nil {
		return fmt.Errorf("consistency with size %d: %w", old.tree.N, err)
	}
	return nil
}

// checkTiles reads every hash of every tile through a reader that answers only what the signed root proves.
func checkTiles(size int64, reader tlog.HashReader) error {
	for level := 0; size>>(tileHeight*level) > 0; level++ {
		hashes := size >> (tileHeight * level)
		for start := int64(0); start < hashes; start += tileWidth {
			var indexes []int64
			for n := start; n < hashes && n < start+tileWidth; n++ {
				indexes = append(indexes, tlog.StoredHashIndex(tileHeight*level, n))
			}
			if _, err := reader.ReadHashes(indexes); err != nil {
				return fmt.Errorf("tile %d of level %d: %w", start/tileWidth, level, err)
			}
		}
	}
	return nil
}

// checkNothingElse refuses files that nothing signed stands for, such as tiles of an earlier, smaller export: nobody could tell whether they were changed.
func checkNothingElse(folder string, size int64, checkpoints int) error {
	belongs := map[string]bool{"checkpoint": true, "log.vkey": true, "export.json": true, "README.md": true}
	for number := 0; number < checkpoints; number++ {
		belongs[filepath.Join("checkpoints", numberPath(int64(number)))] = true
	}
	for level := 0; size>>(tileHeight*level) > 0; level++ {
		for hashes, index := size>>(tileHeight*level), int64(0); index*tileWidth < hashes; index++ {
			width := hashes - index*tileWidth
			if width > tileWidth {
				width = tileWidth
			}
			belongs[filepath.Join("tile", strconv.Itoa(level), placePath(index, width))] = true
			if level == 0 {
				belongs[filepath.Join("tile", "entries", placePath(index, width))] = true
			}
		}
	}
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if name, _ := filepath.Rel(folder, path); !belongs[name] {
			return fmt.Errorf("%s: nothing that the log has signed stands for this file", name)
		}
		return nil
	})
}

type link struct {
	seq  int64
	hash string
}

func checkEntries(folder string, tree tlog.Tree, reader tlog.HashReader) (int, error) {
	streams := map[string]link{}
	for start := int64(0); start < tree.N; start += tileWidth {
		width := tree.N - start
		if width > tileWidth {
			width = tileWidth
		}
		bundle, err := os.ReadFile(filepath.Join(folder, "tile", "entries", placePath(start/tileWidth, width)))
		if err != nil {
			return 0, err
		}
		leaves, err := reader.ReadHashes(leafIndexes(start, width))
		if err != nil {
			return 0, err
		}
		for index := start; index < start+width; index++ {
			entry, rest, err := cutEntry(bundle)
			if err != nil {
				return 0, fmt.Errorf("entry %d: %w", index, err)
			}
			bundle = rest
			hash := tlog.RecordHash(entry)
			if hash != leaves[index-start] {
				return 0, fmt.Errorf("entry %d is not the one that was signed", index)
			}
			if tree.N <= proofsForAll || index == start {
				if err := checkInclusion(tree, index, hash, reader); err != nil {
					return 0, fmt.Errorf("entry %d: %w", index, err)
				}
			}
			if err := follow(streams, entry); err != nil {
				return 0, fmt.Errorf("entry %d: %w", index, err)
			}
		}
		if len(bundle) > 0 {
			return 0, fmt.Errorf("%d bytes behind entry %d", len(bundle), start+width-1)
		}
	}
	return len(streams), nil
}

func leafIndexes(start, width int64) []int64 {
	indexes := make([]int64, width)
	for i := range indexes {
		indexes[i] = tlog.StoredHashIndex(0, start+int64(i))
	}
	return indexes
}

func checkInclusion(tree tlog.Tree, index int64, hash tlog.Hash, reader tlog.HashReader) error {
	proof, err := tlog.ProveRecord(tree.N, index, reader)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, hash)
}

func cutEntry(bundle []byte) (entry, rest []byte, err error) {
	if len(bundle) < 2 || len(bundle) < 2+int(bundle[0])<<8+int(bundle[1]) {
		return nil, nil, errors.New("the bundle ends before it")
	}
	end := 2 + int(bundle[0])<<8 + int(bundle[1])
	return bundle[2:end], bundle[end:], nil
}

// follow checks that a controller's event is the next of its stream; the server's own have no stream.
func follow(streams map[string]link, entry []byte) error {
	var event struct {
		V      int    `json:"v"`
		Source string `json:"source"`
		Stream string `json:"stream"`
		Seq    int64  `json:"seq"`
		Prev   string `json:"prev"`
	}
	if err := json.Unmarshal(entry, &event); err != nil || event.V != 1 {
		return errors.New("not an event")
	}
	if event.Source == "server" {
		return nil
	}
	before, known := streams[event.Stream]
	if !known {
		before.hash = strings.Repeat("0", 64)
	}
	if event.Stream == "" || event.Seq != before.seq+1 || event.Prev != before.hash {
		return fmt.Errorf("it does not follow from number %d of %s", before.seq, event.Stream)
	}
	hash := sha256.Sum256(entry)
	streams[event.Stream] = link{event.Seq, hex.EncodeToString(hash[:])}
	return nil
}

// tileFolder hands out tiles as they lie there; whether they are right is for the caller of TileHashReader.
type tileFolder string

func (tileFolder) Height() int                         { return tileHeight }
func (tileFolder) SaveTiles(_ []tlog.Tile, _ [][]byte) {}

func (folder tileFolder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		path := filepath.Join("tile", strconv.Itoa(tile.L), placePath(tile.N, int64(tile.W)))
		data, err := os.ReadFile(filepath.Join(string(folder), path))
		if err != nil {
			return nil, err
		}
		if len(data) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s has %d bytes", path, len(data))
		}
		all = append(all, data)
	}
	return all, nil
}

// numberPath writes 1234067 as x001/x234/067 (C2SP tlog-tiles).
func numberPath(n int64) string {
	path := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	return path
}

func placePath(n, width int64) string {
	if width == tileWidth {
		return numberPath(n)
	}
	return fmt.Sprintf("%s.p/%d", numberPath(n), width)
}
