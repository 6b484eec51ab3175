package box

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"prokata/checker/internal/evidence"
)

// Probe builds a box and has a process in it try every layer. self is the command by which
// this program serves as process 1, base a folder for what a box needs meanwhile.
func Probe(self []string, base string) evidence.Sandbox {
	show, err := Programs(self[:1])
	if err != nil {
		return sum(nil, map[string]string{Root: err.Error()})
	}
	spec := Spec{
		Base: base, Show: show,
		Limits: Limits{MemoryMiB: 256, Tasks: 128, TmpMiB: 16, FileMiB: 16, Files: 256},
	}
	why := map[string]string{}
	// A group that cannot be made, a user that cannot be had, is a layer that is missing;
	// the others are tried without it.
	for {
		got, err := try(self, spec)
		layer := (*LayerError)(nil)
		switch {
		case errors.As(err, &layer) && !slices.Contains(spec.Without, layer.Layer) && optional(layer.Layer):
			why[layer.Layer] = layer.Err.Error()
			spec.Without = append(spec.Without, layer.Layer)
			if layer.Layer == Landlock {
				why[Scopes] = why[Landlock]
				spec.Without = append(spec.Without, Scopes)
			}
			continue
		case errors.As(err, &layer) && layer.Layer == Namespaces && os.Geteuid() == 0 && !slices.Contains(spec.Without, UserID):
			// The superuser of a container may have no other user ID to give.
			why[UserID] = layer.Err.Error()
			spec.Without = append(spec.Without, UserID)
			continue
		case errors.As(err, &layer):
			why[layer.Layer] = layer.Err.Error()
		case err != nil:
			why[Namespaces] = err.Error()
		}
		return sum(got, why)
	}
}

// optional tells whether a box can be built at all without a layer.
func optional(name string) bool {
	i := slices.IndexFunc(layers, func(l layer) bool { return l.name == name })
	return i >= 0 && (!layers[i].strong || name == Seccomp || name == NoCaps)
}

// sum puts together what was found.
func sum(got map[string]string, why map[string]string) evidence.Sandbox {
	var s evidence.Sandbox
	for _, l := range layers {
		problem, tried := got[l.name]
		switch {
		case why[l.name] != "":
			problem = why[l.name]
		case !tried:
			problem = notTried
		}
		s.Layers = append(s.Layers, evidence.Layer{Name: l.name, OK: problem == "", Why: problem})
	}
	s.Tier, s.Missing = tier(s.Layers)
	return s
}

// try builds one box. It returns, by layer, what the process in it has to complain of.
func try(self []string, spec Spec) (map[string]string, error) {
	cmd := exec.Command(self[0])
	cmd.Env = []string{"PATH=/usr/bin:/bin"}
	cmd.WaitDelay = time.Second
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	end, err := Start(self, Trial, spec, cmd)
	if err != nil {
		return nil, err
	}
	defer end()
	err = cmd.Wait()
	var found found
	if json.Unmarshal(out.Bytes(), &found) != nil {
		return nil, fmt.Errorf("the process that was to try it said nothing (%w): %s", err, strings.TrimSpace(complaint.String()))
	}
	if found.Error != "" {
		return nil, &LayerError{found.Layer, errors.New(found.Error)}
	}
	return found.Layers, nil
}

// found is what a probe prints.
type found struct {
	status
	Layers map[string]string `json:"layers"` // what is wrong with each; empty: nothing
}

// RunProbe is what process 1 of a probe does: it starts a process by the airlock, in the
// groups, which looks at itself.
func (i *Inner) RunProbe(self []string) error {
	cmd := exec.Command(self[0], append(slices.Clone(self[1:]), string(Trial), "look")...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if who := i.Who(); who != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who}
	}
	cmd.Env = append(os.Environ(), withoutEnv+"="+strings.Join(i.spec.Without, ","))
	// It is process 1 who goes into the groups here: to try whether it may.
	for layer, dir := range map[string]string{Memory: i.spec.Groups.Memory, Tasks: i.spec.Groups.Tasks} {
		if dir == "" {
			continue
		}
		if err := os.WriteFile(dir+"/cgroup.procs", []byte(strconv.Itoa(os.Getpid())), 0); err != nil {
			return tell(&LayerError{layer, err})
		}
	}
	l, err := net.Listen("unix", supervisorSocket)
	if err != nil {
		return tell(err)
	}
	defer l.Close()
	if err := i.Enter(cmd.Start); err != nil {
		return tell(err)
	}
	return cmd.Wait()
}

// tell prints which layer could not be had.
func tell(err error) error {
	f := found{status: status{Namespaces, err.Error()}}
	if layer := (*LayerError)(nil); errors.As(err, &layer) {
		f.Layer, f.Error = layer.Layer, layer.Err.Error()
	}
	return json.NewEncoder(os.Stdout).Encode(f)
}

// supervisorSocket is where process 1 listens, for the process behind the airlock to try.
const supervisorSocket = "@prokata-probe"

const withoutEnv = "PROKATA_BOX_WITHOUT"

// Look is what the process behind the airlock does: it tries what it should not be able
// to do, and prints what went wrong.
func Look() error {
	without := strings.Split(os.Getenv(withoutEnv), ",")
	f := found{Layers: map[string]string{}}
	for name, look := range looks {
		if slices.Contains(without, name) {
			continue
		}
		f.Layers[name] = look()
	}
	return json.NewEncoder(os.Stdout).Encode(f)
}
