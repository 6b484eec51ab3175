#include "textflag.h"

// func callers(pcs *[depth]uintptr) int
//
// Each frame record holds the caller's frame pointer and, above it, the return
// address. Only what lies on this goroutine's stack is read: g begins with the
// stack's bounds.
TEXT ·callers(SB), NOSPLIT|NOFRAME, $0-16
	MOVD pcs+0(FP), R0
	MOVD 0(g), R1 // lowest address
	MOVD 8(g), R2 // behind the highest
	SUB  $16, R2
	MOVD R29, R3
	MOVD $0, R4

next:
	CMP  $8, R4
	BGE  done
	CMP  R1, R3
	BLO  done
	CMP  R2, R3
	BHI  done
	MOVD 8(R3), R5
	MOVD R5, (R0)(R4<<3)
	ADD  $1, R4
	ADD  $1, R3, R1 // the next frame lies above
	MOVD 0(R3), R3
	B    next

done:
	MOVD R4, ret+8(FP)
	RET
