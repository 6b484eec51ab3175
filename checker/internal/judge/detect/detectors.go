package detect

// Detectors returns every detector, the ones whose findings explain others first.
func Detectors() []Detector {
	return []Detector{
		build, tamper, deadlock, livelock, busyWait, limit, timeout, crash, notProcesses, race, sharedRace,
		orphan, zombie, goroutineLeak, fdLeak, shmLeak, fileLeak, wrong,
	}
}

// Find returns the detector of that code.
func Find(code string) (Detector, bool) {
	for _, d := range Detectors() {
		if d.Code == code {
			return d, true
		}
	}
	return Detector{}, false
}
