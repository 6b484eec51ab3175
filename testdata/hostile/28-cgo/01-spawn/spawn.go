// Attack: C code includes any file of the build machine as bytes.
// Stopped by: policy.
//
// want tamper
package spawn

/*
__asm__(".section .rodata\n.globl secret\nsecret: .incbin \"/etc/passwd\"\n.text\n");
extern const char secret[];
static const char *get(void) { return secret; }
*/
import "C"

var secret = C.GoString(C.get())
