// SwiftPM wants one source file in a C target; everything here lives in the headers.
#include "CShims.h"
