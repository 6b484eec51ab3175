// Package findings holds for each finding of the checker a program that makes the mistake
// and one that does not. The pages in docs/findings show them; TestFindings runs all.
package findings
