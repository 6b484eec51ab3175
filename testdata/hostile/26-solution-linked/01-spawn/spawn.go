// Attack: all that is asked for stands in a second file, a link to the reference solution.
// Stopped by: policy.
//
// want tamper
package spawn
