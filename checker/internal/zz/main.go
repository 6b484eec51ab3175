package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"prokata/checker/internal/instrument"
	"prokata/checker/internal/mutate"
)

func main() {
	path, _ := filepath.Abs(os.Args[2])
	src, _ := os.ReadFile(path)
	over := func(s []byte) string {
		os.WriteFile("/tmp/zzr.go", s, 0o600)
		kata := strings.Replace(path, "/solutions/", "/katas/", 1)
		o, _ := json.Marshal(map[string]any{"Replace": map[string]string{kata: "/tmp/zzr.go"}})
		os.WriteFile("/tmp/zzo.json", o, 0o600)
		return filepath.Dir(kata)
	}
	if os.Args[1] == "inst" {
		out, err := instrument.File(path, src, instrument.Points|instrument.Sites)
		fmt.Println(over(out), err)
		return
	}
	ms, err := mutate.Mutants(filepath.Base(path), src)
	if err != nil {
		panic(err)
	}
	bad := map[string]int{}
	for _, m := range ms {
		dir := over(m.Source)
		if out, err := exec.Command("go", "build", "-overlay", "/tmp/zzo.json", "-o", "/dev/null", dir).CombinedOutput(); err != nil {
			bad[m.Operator]++
			fmt.Println(m.Operator, m.Line, m.Description, "::", strings.ReplaceAll(string(out), "\n", " | "))
		}
	}
	fmt.Println(len(ms), "mutants", bad)
}
