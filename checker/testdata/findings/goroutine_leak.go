package findings

// GoroutineLeakWrong takes the first answer: the second has nobody who would take it.
func GoroutineLeakWrong() int {
	answers := make(chan int)
	for n := range 2 {
		go func() { answers <- n }()
	}
	return <-answers
}

// GoroutineLeakRight leaves room for each answer.
func GoroutineLeakRight() int {
	answers := make(chan int, 2)
	for n := range 2 {
		go func() { answers <- n }()
	}
	return <-answers
}
