package findings

// An Answer is that to question Index.
type Answer struct{ Index, Value int }

// WrongWrong has the answers in the order in which they came.
func WrongWrong(came <-chan Answer, n int) []int {
	var all []int
	for range n {
		all = append(all, (<-came).Value)
	}
	return all
}

// WrongRight has them in the order of the questions.
func WrongRight(came <-chan Answer, n int) []int {
	all := make([]int, n)
	for range n {
		a := <-came
		all[a.Index] = a.Value
	}
	return all
}
