package demo

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"langso/load"
)

// Write writes a source as <collection>.jsonl files into a folder, which it
// makes. The cells of a row keep their order, empty ones are left out: the same
// source gives the same bytes.
func Write(folder string, src load.Source) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	for _, name := range load.Collections() {
		file, err := os.Create(filepath.Join(folder, name+".jsonl"))
		if err != nil {
			return fmt.Errorf("make file: %w", err)
		}
		err = writeRows(file, src, name)
		if e := file.Close(); err == nil {
			err = e
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}

func writeRows(to io.Writer, src load.Source, collection string) error {
	w := bufio.NewWriterSize(to, 256<<10)
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	for row, err := range src.Rows(collection) {
		if err != nil {
			return err
		}
		line.Reset()
		line.WriteByte('{')
		for _, c := range row.Cells {
			if c.Value == nil || c.Value == "" || c.Value == false {
				continue
			}
			if line.Len() > 1 {
				line.WriteByte(',')
			}
			for i, v := range []any{c.Name, c.Value} {
				if i == 1 {
					line.WriteByte(':')
				}
				if err := enc.Encode(v); err != nil {
					return err
				}
				line.Truncate(line.Len() - 1) // Encode ends with a new line
			}
		}
		line.WriteString("}\n")
		if _, err := w.Write(line.Bytes()); err != nil {
			return err
		}
	}
	return w.Flush()
}
