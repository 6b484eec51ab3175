module prokata

go 1.26.0

replace golang.org/x/sys => ../../../../solutions/01-spawn
