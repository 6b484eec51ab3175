#include "textflag.h"

// func callers(pcs *[depth]uintptr) int
//
// Each frame begins with the caller's frame pointer and, above it, the return
// address. Only what lies on this goroutine's stack is read: g begins with the
// stack's bounds.
TEXT ·callers(SB), NOSPLIT|NOFRAME, $0-16
	MOVQ pcs+0(FP), DI
	MOVQ (TLS), R8
	MOVQ 0(R8), R9  // lowest address
	MOVQ 8(R8), R10 // behind the highest
	SUBQ $16, R10
	MOVQ BP, BX
	XORQ AX, AX

next:
	CMPQ AX, $8
	JGE  done
	CMPQ BX, R9
	JCS  done
	CMPQ BX, R10
	JHI  done
	MOVQ 8(BX), CX
	MOVQ CX, (DI)(AX*8)
	INCQ AX
	MOVQ BX, R9 // the next frame lies above
	INCQ R9
	MOVQ 0(BX), BX
	JMP  next

done:
	MOVQ AX, ret+8(FP)
	RET
