// Package instrument rewrites a source under test while it is built: it puts in
// calls of package perturb, before statements that synchronise and around
// statements that open something. The learner's own file is not touched; the
// rewritten text reaches the compiler through go build's -overlay.
//
// Two things must not change. What the program does: a hook is a statement
// between statements, declares nothing, and never separates a label from its
// statement, ends a list that must end in a return, or comes between a case and
// its fallthrough. And where it does it: hooks are put into existing lines, and
// a //line directive names the learner's file, so that compile errors, stacks
// and race reports show the learner's own file and line. Columns may differ.
package instrument
