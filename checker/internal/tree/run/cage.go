package run

// TasksEach is how many tasks (threads count too) a tree may have for each process that
// its kata allows it. A race-built Go program of the katas has about ten.
const TasksEach = 24
