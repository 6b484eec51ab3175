#include "textflag.h"

TEXT ·add(SB), NOSPLIT, $0-0
	RET
