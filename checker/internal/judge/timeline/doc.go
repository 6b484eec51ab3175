// Package timeline draws a run over time: a lane for each process, what it was doing,
// which locks it held, how it ended, and the findings at their moment. It makes a page
// for a browser, a text for a terminal and a file for trace viewers, all from one Page.
//
// What it draws was written by programs that nobody trusts: the page holds it as data,
// shows it as text alone, and loads nothing.
package timeline
