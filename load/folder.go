package load

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
)

// Folder is a source that reads <collection>.csv and <collection>.jsonl.
type Folder struct {
	path   string
	counts map[string]int
}

// OpenFolder looks at a folder. One without a file to load is an error.
func OpenFolder(path string) (*Folder, error) {
	f := &Folder{path: path, counts: map[string]int{}}
	for _, k := range kinds {
		for _, name := range filesOf(k.name) {
			n, err := countLines(filepath.Join(path, name))
			if err != nil && !os.IsNotExist(err) {
				return nil, fmt.Errorf("read folder: %w", err)
			}
			f.counts[k.name] += n
			if err == nil {
				f.counts[k.name]++ // a file is there even when it is empty
			}
		}
	}
	for _, n := range f.counts {
		if n > 0 {
			return f, nil
		}
	}
	if _, err := os.ReadDir(path); err != nil {
		return nil, fmt.Errorf("read folder: %w", err)
	}
	return nil, fmt.Errorf("folder %s holds no file to load, such as persons.csv or persons.jsonl", path)
}

func filesOf(collection string) []string { return []string{collection + ".csv", collection + ".jsonl"} }

// Count is about the number of rows: that of lines.
func (f *Folder) Count(collection string) int { return f.counts[collection] }

// Rows reads the files of a collection.
func (f *Folder) Rows(collection string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, name := range filesOf(collection) {
			file, err := os.Open(filepath.Join(f.path, name))
			if os.IsNotExist(err) {
				continue
			}
			if err != nil {
				yield(Row{}, err)
				return
			}
			read := readJSONL
			if strings.HasSuffix(name, ".csv") {
				read = readCSV
			}
			for row, err := range read(name, file) {
				if !yield(row, err) {
					file.Close()
					return
				}
			}
			file.Close()
		}
	}
}

// Misfits tells of files that look as if they were to be loaded, but bear no
// collection's name: household.csv.
func (f *Folder) Misfits() []RowError {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return nil
	}
	var out []RowError
	for _, e := range entries {
		name := e.Name()
		stem, is := strings.CutSuffix(name, ".jsonl")
		if !is {
			stem, is = strings.CutSuffix(name, ".csv")
		}
		if is && !known(stem) && !e.IsDir() {
			out = append(out, RowError{File: name, Line: 1, Code: "unknown_file", Sentence: "Tên tệp không phải tên bảng nào nạp được: " + strings.Join(Collections(), ", ") + "."})
		}
	}
	return out
}

func countLines(path string) (int, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	n := 0
	buf := make([]byte, 64<<10)
	for {
		got, err := file.Read(buf)
		n += bytes.Count(buf[:got], []byte{'\n'})
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}
