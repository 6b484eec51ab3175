package findings_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	findings "prokata/katas/01-findings"
)

func word(t *testing.T) *os.File {
	f, err := os.OpenFile(filepath.Join(t.TempDir(), "word"), os.O_RDWR|os.O_CREATE, 0o600)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	require.NoError(t, f.Truncate(8))
	return f
}

func busyWait(t *testing.T, start func() (int, func() error, error)) {
	pid, end, err := start()
	require.NoError(t, err)
	harness.Waiting(t, pid)
	require.NoError(t, end())
}

// late are two answers, the second one first.
func late() <-chan findings.Answer {
	came := make(chan findings.Answer, 2)
	came <- findings.Answer{Index: 1, Value: 1}
	came <- findings.Answer{Index: 0, Value: 0}
	return came
}

func TestOrphanWrong(t *testing.T) {
	harness.Test(t)
	require.NoError(t, findings.OrphanWrong())
}

func TestOrphanRight(t *testing.T) {
	harness.Test(t)
	require.NoError(t, findings.OrphanRight())
}

func TestZombieWrong(t *testing.T) {
	harness.Test(t)
	require.NoError(t, findings.ZombieWrong())
}

func TestZombieRight(t *testing.T) {
	harness.Test(t)
	require.NoError(t, findings.ZombieRight())
}

func TestFdLeakWrong(t *testing.T) {
	harness.Test(t)
	require.NoError(t, findings.FdLeakWrong())
}

func TestFdLeakRight(t *testing.T) {
	harness.Test(t)
	require.NoError(t, findings.FdLeakRight())
}

func TestGoroutineLeakWrong(t *testing.T) {
	harness.Test(t)
	assert.Contains(t, []int{0, 1}, findings.GoroutineLeakWrong())
}

func TestGoroutineLeakRight(t *testing.T) {
	harness.Test(t)
	assert.Contains(t, []int{0, 1}, findings.GoroutineLeakRight())
}

func TestFileLeakWrong(t *testing.T) {
	harness.Test(t)
	require.NoError(t, findings.FileLeakWrong())
}

func TestFileLeakRight(t *testing.T) {
	harness.Test(t)
	require.NoError(t, findings.FileLeakRight())
}

func TestShmLeakWrong(t *testing.T) {
	harness.Test(t)
	n, err := findings.ShmLeakWrong(word(t))
	require.NoError(t, err)
	assert.Zero(t, n)
}

func TestShmLeakRight(t *testing.T) {
	harness.Test(t)
	n, err := findings.ShmLeakRight(word(t))
	require.NoError(t, err)
	assert.Zero(t, n)
}

func TestCrashWrong(t *testing.T) {
	harness.Test(t)
	require.NoError(t, findings.CrashWrong())
}

func TestCrashRight(t *testing.T) {
	harness.Test(t)
	require.NoError(t, findings.CrashRight())
}

func TestRaceWrong(t *testing.T) {
	harness.Test(t)
	assert.Contains(t, []int{1, 2}, findings.RaceWrong())
}

func TestRaceRight(t *testing.T) {
	harness.Test(t)
	assert.Contains(t, []int{1, 2}, findings.RaceRight())
}

func TestSharedRaceWrong(t *testing.T) {
	harness.Test(t)
	require.NoError(t, findings.SharedRaceWrong(word(t)))
}

func TestSharedRaceRight(t *testing.T) {
	harness.Test(t)
	require.NoError(t, findings.SharedRaceRight(word(t)))
}

func TestDeadlockWrong(t *testing.T) {
	harness.Test(t)
	dir := t.TempDir()
	require.NoError(t, findings.DeadlockWrong(filepath.Join(dir, "a"), filepath.Join(dir, "b")))
}

func TestDeadlockRight(t *testing.T) {
	harness.Test(t)
	dir := t.TempDir()
	require.NoError(t, findings.DeadlockRight(filepath.Join(dir, "a"), filepath.Join(dir, "b")))
}

func TestLivelockWrong(t *testing.T) {
	harness.Test(t)
	harness.Progress()
	require.NoError(t, findings.LivelockWrong())
}

func TestLivelockRight(t *testing.T) {
	harness.Test(t)
	harness.Progress()
	require.NoError(t, findings.LivelockRight())
}

func TestBusyWaitWrong(t *testing.T) {
	harness.Test(t)
	busyWait(t, findings.BusyWaitWrong)
}

func TestBusyWaitRight(t *testing.T) {
	harness.Test(t)
	busyWait(t, findings.BusyWaitRight)
}

func TestLimitWrong(t *testing.T) {
	harness.Test(t)
	require.NoError(t, findings.LimitWrong(os.Stdout))
}

func TestLimitRight(t *testing.T) {
	harness.Test(t)
	require.NoError(t, findings.LimitRight(os.Stdout))
}

func TestTimeoutWrong(t *testing.T) {
	harness.Test(t)
	findings.TimeoutWrong()
}

func TestTimeoutRight(t *testing.T) {
	harness.Test(t)
	findings.TimeoutRight()
}

func TestNotProcessesWrong(t *testing.T) {
	harness.Test(t)
	s, err := findings.NotProcessesWrong("a")
	require.NoError(t, err)
	assert.Equal(t, "A", s)
}

func TestNotProcessesRight(t *testing.T) {
	harness.Test(t)
	s, err := findings.NotProcessesRight("a")
	require.NoError(t, err)
	assert.Equal(t, "A", s)
}

func TestWrongWrong(t *testing.T) {
	harness.Test(t)
	assert.Equal(t, []int{0, 1}, findings.WrongWrong(late(), 2), "the answers are not in the order of the questions")
}

func TestWrongRight(t *testing.T) {
	harness.Test(t)
	assert.Equal(t, []int{0, 1}, findings.WrongRight(late(), 2), "the answers are not in the order of the questions")
}
