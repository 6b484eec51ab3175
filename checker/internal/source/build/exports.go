package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// Exports returns, by import path, the files with the export data of a package and of
// all that it imports: what a type checker needs to know of them. The package is
// named as for the go command, in the repository at root.
func (b *Builder) Exports(ctx context.Context, root, pkg string) (map[string]string, error) {
	t, err := b.tool()
	if err != nil {
		return nil, err
	}
	out, err := t.command(ctx, root, "list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}", pkg).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = errors.New(string(bytes.TrimSpace(exit.Stderr)))
		}
		return nil, fmt.Errorf("list what %s imports: %w", pkg, err)
	}
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		files[path] = file
	}
	return files, nil
}
