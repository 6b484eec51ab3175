// Attack: the file belongs to another package.
// Stopped by: harness.
//
// want build
package main

func main() {}
